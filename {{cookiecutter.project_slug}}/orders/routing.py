from django.urls import path

from .consumers import OrderFeed

websocket_urlpatterns = [path("ws/orders/", OrderFeed.as_asgi())]
