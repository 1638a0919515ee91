"""django-rivet: a Rust HTTP core that serves Django, ASGI applications, native handlers and WebSockets.

Importing this package reads no Django settings, so that an `api` module can be imported anywhere.
"""

from importlib.metadata import PackageNotFoundError, version

from django_rivet._core import Disconnected, Request, WebSocket
from django_rivet.api import API
from django_rivet.broadcasting import broadcast

try:
    __version__ = version("django-rivet")
except PackageNotFoundError:  # a source tree on the import path
    __version__ = "0"

__all__ = ["API", "Disconnected", "Request", "WebSocket", "__version__", "broadcast"]
