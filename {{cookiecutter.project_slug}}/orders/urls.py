from django.urls import path

from . import views

app_name = "orders"

urlpatterns = [
    path("orders/", views.index, name="list"),
    path("orders/<int:order_id>/", views.detail, name="detail"),
]
