"""Native handlers: functions that the engine calls itself, without Django's request, views and middleware.

In `orders/api.py`:

    from typing import Annotated

    import msgspec
    from django_rivet import API

    class NewOrder(msgspec.Struct):
        product: str
        count: Annotated[int, msgspec.Meta(ge=1)] = 1

    api = API(prefix="/orders")

    @api.get("/{number}")
    async def read(number: int, full: bool = False) -> dict[str, int]:
        return {"number": number}

    @api.post("", status=201)
    def create(order: NewOrder) -> NewOrder:
        return order
"""

from django_rivet.api.auth import (
    Anonymous,
    APIKeyAuth,
    Authenticator,
    BearerAuth,
    CurrentUser,
    SessionAuth,
    current_user,
)
from django_rivet.api.cursor import Cursor
from django_rivet.api.errors import HTTPError
from django_rivet.api.forms import UploadedFile
from django_rivet.api.inside import csrf_token
from django_rivet.api.markers import Body, Cookie, Depends, File, Form, Header, Query
from django_rivet.api.pagination import LimitOffset, Page, PageNumber, Paginator
from django_rivet.api.permissions import IsAuthenticated, IsStaff, IsSuperuser
from django_rivet.api.responses import Background, EventStream, Response, ServerSentEvent, Stream
from django_rivet.api.route import Handler, Operation, Parameter, Route
from django_rivet.api.router import API, Router
from django_rivet.api.throttling import Throttle

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
    "EventStream",
    "File",
    "Form",
    "HTTPError",
    "Handler",
    "Header",
    "IsAuthenticated",
    "IsStaff",
    "IsSuperuser",
    "LimitOffset",
    "Operation",
    "Page",
    "PageNumber",
    "Paginator",
    "Parameter",
    "Query",
    "Response",
    "Route",
    "Router",
    "ServerSentEvent",
    "SessionAuth",
    "Stream",
    "Throttle",
    "UploadedFile",
    "csrf_token",
    "current_user",
]
