"""Conditional requests: https://www.rfc-editor.org/rfc/rfc9110#section-13, by Django's own rules."""

import datetime
import hashlib
from collections.abc import Callable
from typing import Any

from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.http import http_date, quote_etag

from django_rivet._core import Request
from django_rivet.api.errors import HTTPError
from django_rivet.api.responses import Response, Stream

type Fields = list[tuple[str, str]]

ASKED = ("If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since")
# What a 304 has of the answer that it stands for (RFC 9110 15.4.5), and its cookies, as in Django.
KEPT = frozenset(("cache-control", "content-location", "expires", "last-modified", "set-cookie", "vary"))


class Conditions:
    """The request, as Django's helpers read it."""

    def __init__(self, request: Request) -> None:
        self.method = request.method
        self.path = request.path
        found = ((name, request.header(name)) for name in ASKED)
        self.META = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in found if value is not None}

    def status(self, etag: str | None, modified: int | None) -> int | None:
        """304, 412, or None: the request is to be answered."""
        if not self.META:
            return None
        response: Any = get_conditional_response(self, etag, modified)  # type: ignore[arg-type]
        return None if response is None else response.status_code


def read_tag(value: str | int | None) -> str | None:
    """A tag as the header field has it, for one with or without quotation marks, or a number."""
    return None if value is None else quote_etag(str(value))


def read_time(value: datetime.datetime | None) -> int | None:
    """Seconds, as the header field has them; a time without a zone is UTC's, as in Django."""
    if value is None:
        return None
    if not isinstance(value, datetime.datetime):
        raise TypeError(f"last_modified gives a datetime, not {type(value).__qualname__}")
    return int((value if timezone.is_aware(value) else timezone.make_aware(value, datetime.UTC)).timestamp())


def check(
    request: Request, etag: str | int | None = None, modified: datetime.datetime | None = None
) -> Fields | Response[None]:
    """The fields that the answer is to have, or 304 where there need be none. Raises HTTPError for 412."""
    tag, time = read_tag(etag), read_time(modified)
    fields = [("ETag", tag)] if tag else []
    if time is not None:
        fields.append(("Last-Modified", http_date(time)))
    asked = Conditions(request)
    match asked.status(tag, time):
        case 304:
            return Response(None, status=304, headers=fields)
        case 412:
            raise failed()
    # As in Django: what a POST answers with is not what the tag is of.
    return fields if asked.method in ("GET", "HEAD") else []


def failed() -> HTTPError:
    """For a condition that does not hold."""
    return HTTPError(412, "It is not what you think it is: read it again.")


def mark(value: Any, fields: Fields) -> Any:
    """A handler's value with these fields, where it has none of the name."""
    if not fields:
        return value
    match value:
        case HttpResponseBase():
            names = {name.lower() for name in value.headers}
        case Response() | Stream():
            names = {name.lower() for name, _ in value.headers}
        case _:
            names = set()
    return Response(value, headers=[field for field in fields if field[0].lower() not in names])


class Tagged:
    """A request whose answer gets a tag made of its body, when it is a whole one with status 200."""

    def __init__(self, request: Request) -> None:
        self.core = request
        self._respond: Callable[..., None] = request.respond

    def __getattr__(self, name: str) -> Any:
        return getattr(self.core, name)

    def respond(self, status: int, headers: Any, body: bytes) -> None:
        """As the request's."""
        fields = [(_text(name), _text(value)) for name, value in headers]
        names = {name.lower() for name, _ in fields}
        if status != 200 or "etag" in names:
            self._respond(status, fields, body)
            return
        tag = quote_etag(hashlib.blake2b(body, digest_size=16).hexdigest())
        match Conditions(self.core).status(tag, None):
            case 304:
                kept = [field for field in fields if field[0].lower() in KEPT]
                self._respond(304, [*kept, ("ETag", tag)], b"")
            case 412:
                raise failed()
            case _:
                self._respond(200, [*fields, ("ETag", tag)], body)


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
