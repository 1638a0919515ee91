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
    from django_rivet import uncompiled

    sys.modules["django_rivet._core"] = uncompiled
    from django_rivet._core import Disconnected, Request, WebSocket
from django_rivet.api import (
    API,
    Anonymous,
    APIKeyAuth,
    Authenticator,
    Background,
    BearerAuth,
    Body,
    Cookie,
    CurrentUser,
    Cursor,
    Depends,
    EventStream,
    File,
    Form,
    Header,
    HTTPError,
    IsAuthenticated,
    IsStaff,
    IsSuperuser,
    LimitOffset,
    Page,
    PageNumber,
    Paginator,
    Query,
    Response,
    Router,
    ServerSentEvent,
    SessionAuth,
    Stream,
    Throttle,
    UploadedFile,
    csrf_token,
    current_user,
)
from django_rivet.broadcasting import broadcast

try:
    __version__ = version("django-rivet")
except PackageNotFoundError:  # a source tree on the import path
    __version__ = "0"

__all__ = [
    "API",
    "APIKeyAuth",
    "Anonymous",
    "Authenticator",
    "Background",
    "BearerAuth",
    "Body",
    "Cookie",
    "CurrentUser",
    "Cursor",
    "Depends",
    "Disconnected",
    "EventStream",
    "File",
    "Form",
    "HTTPError",
    "Header",
    "IsAuthenticated",
    "IsStaff",
    "IsSuperuser",
    "LimitOffset",
    "Page",
    "PageNumber",
    "Paginator",
    "Query",
    "Request",
    "Response",
    "Router",
    "ServerSentEvent",
    "SessionAuth",
    "Stream",
    "Throttle",
    "UploadedFile",
    "WebSocket",
    "__version__",
    "broadcast",
    "csrf_token",
    "current_user",
]
