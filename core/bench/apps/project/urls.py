from django.contrib import admin
from django.urls import path
from shop import views

urlpatterns = [
    path("django/sync", views.sync),
    path("django/async", views.asynchronous),
    path("django/items", views.items),
    path("django/aitems", views.aitems),
    path("django/page", views.page),
    path("django/burn/<int:milliseconds>", views.burn),
    path("django/wait/<int:milliseconds>", views.wait),
    path("items", views.items),
    path("admin/", admin.site.urls),
]
