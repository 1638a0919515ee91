"""django-rivet: a Rust HTTP core that serves Django, ASGI applications, native handlers and WebSockets.

Importing this package reads no Django settings, so that an `api` module can be imported anywhere.
"""

import sys
from importlib.metadata import PackageNotFoundError, version

try:
    from django_rivet._core import Disconnected, Request, WebSocket
except ModuleNotFoundError as error:
    if error.name != "django_rivet._core":
        raise
    raise ImportError(
        f"django_rivet._core, the compiled part of django-rivet, is missing in {__path__[0]} for"
        f" {sys.implementation.cache_tag}: install the wheel for this Python, or build it with Rust: pip install core/"
    ) from None
from django_rivet.api import (
    API,
    Background,
    Body,
    Cookie,
    Depends,
    EventStream,
    File,
    Form,
    Header,
    HTTPError,
    Query,
    Response,
    Router,
    ServerSentEvent,
    Stream,
    UploadedFile,
)
from django_rivet.broadcasting import broadcast

try:
    __version__ = version("django-rivet")
except PackageNotFoundError:  # a source tree on the import path
    __version__ = "0"

__all__ = [
    "API",
    "Background",
    "Body",
    "Cookie",
    "Depends",
    "Disconnected",
    "EventStream",
    "File",
    "Form",
    "HTTPError",
    "Header",
    "Query",
    "Request",
    "Response",
    "Router",
    "ServerSentEvent",
    "Stream",
    "UploadedFile",
    "WebSocket",
    "__version__",
    "broadcast",
]
