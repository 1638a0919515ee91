from django.urls import path

from . import api, views

app_name = "orders"

urlpatterns = [
    path("orders/", views.index, name="list"),
    path("orders/<int:order_id>/", views.detail, name="detail"),
    path("api/orders/", api.endpoint(GET=api.page, POST=api.create), name="api"),
    path("api/orders/<int:order_id>/", api.endpoint(GET=api.one)),
]
