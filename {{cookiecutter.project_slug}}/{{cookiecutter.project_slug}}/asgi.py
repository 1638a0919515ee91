"""HTTP and WebSocket, for the server that WEB_SERVER names."""

import os
from urllib.parse import ParseResult

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import OriginValidator, WebsocketDenier
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.urls import re_path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "{{ cookiecutter.project_slug }}.settings")

# First: what is imported below needs the apps to be loaded.
http = get_asgi_application()
{% if cookiecutter.example_app == "yes" %}
from orders.routing import websocket_urlpatterns as orders  # noqa: E402
{% endif %}
websocket_urlpatterns = [
{%- if cookiecutter.example_app == "yes" %}
    *orders,
{%- endif %}
    re_path("", WebsocketDenier.as_asgi()),  # an unknown path is refused, without Channels' traceback
]
websocket = AuthMiddlewareStack(URLRouter(websocket_urlpatterns))


class OwnOrigin(OriginValidator):
    """Refuses the handshakes of pages that are not ours."""

    def valid_origin(self, parsed_origin: ParseResult | None) -> bool:
        try:
            return bool(super().valid_origin(parsed_origin))
        except ValueError:  # a port that is no number up to 65535
            return False


application = ProtocolTypeRouter({"http": http, "websocket": OwnOrigin(websocket, [settings.PUBLIC_URL.origin])})
