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

from django_rivet.api.errors import HTTPError
from django_rivet.api.forms import UploadedFile
from django_rivet.api.markers import Body, Cookie, Depends, File, Form, Header, Query
from django_rivet.api.responses import Background, EventStream, Response, ServerSentEvent, Stream
from django_rivet.api.route import Handler, Operation, Parameter, Route
from django_rivet.api.router import API, Router

__all__ = [
    "API",
    "Background",
    "Body",
    "Cookie",
    "Depends",
    "EventStream",
    "File",
    "Form",
    "HTTPError",
    "Handler",
    "Header",
    "Operation",
    "Parameter",
    "Query",
    "Response",
    "Route",
    "Router",
    "ServerSentEvent",
    "Stream",
    "UploadedFile",
]
