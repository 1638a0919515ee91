"""What a route may answer: its own answers, the documented ones, and those that follow from what it takes."""

import collections.abc
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin

import msgspec
from django.http import FileResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponse, HttpResponseBase, HttpResponseRedirectBase

from django_rivet.api import HTTPError, Operation, Route, types
from django_rivet.api.errors import CONTENT_TYPE, phrase
from django_rivet.api.responses import EventStream, Response, Stream
from django_rivet.openapi.security import refusals

JSON = "application/json"
TEXT = "text/plain"
BYTES = "application/octet-stream"
ANYTHING = "*/*"
READING = ("GET", "HEAD")
RATE_LIMIT = ("RateLimit", "RateLimit-Policy")
_ITERATORS = (
    collections.abc.AsyncIterator,
    collections.abc.AsyncGenerator,
    collections.abc.Iterator,
    collections.abc.Generator,
)


class Problem(msgspec.Struct):
    """Problem details (RFC 9457). A problem may have members of its own."""

    title: str
    status: int
    type: str = "about:blank"
    detail: str = ""


class WrongField(msgspec.Struct):
    """A field of a request that is not valid: a name, or a JSON pointer (RFC 6901) into the body."""

    location: Literal["path", "query", "header", "cookie", "form", "file", "body"] = msgspec.field(name="in")
    detail: str
    name: str | msgspec.UnsetType = msgspec.UNSET
    pointer: str | msgspec.UnsetType = msgspec.UNSET


class InvalidProblem(Problem, kw_only=True):
    """Problem details of a request that is not valid, with each wrong field."""

    errors: list[WrongField]


class Answer(NamedTuple):
    """One way to answer: a type of values with a media type, None for no body, or an OpenAPI object as it is."""

    status: int
    media: str | None = None
    kind: Any = None
    headers: tuple[str, ...] = ()
    written: dict[str, Any] | None = None

    @property
    def description(self) -> str:
        """Every answer needs one."""
        return phrase(self.status)


def answers(route: Route) -> list[Answer]:
    """All answers of a route that are known, by status. A documented status takes the place of what is known of it."""
    operation = route.operation
    documented = {status: list(_documented(status, kind)) for status, kind in operation.responses.items()}
    found: dict[int, list[Answer]] = {}
    own = [answer._replace(headers=(*answer.headers, *_fields(answer, operation))) for answer in _own(route)]
    if any(status < 400 for status in documented) and all(each.media == ANYTHING for each in own):
        own = []  # who says what is answered knows better
    for answer in (*own, *_refusals(route)):
        found.setdefault(answer.status, []).append(answer)
    return [answer for _, several in sorted((found | documented).items()) for answer in several]


def _fields(answer: Answer, operation: Operation) -> tuple[str, ...]:
    """What options add to an answer: what tells its version, where the request's conditions are about it; throttles."""
    versioned = operation.method in READING and 200 <= answer.status < 300
    return (*(operation.validators if versioned else ()), *(RATE_LIMIT if operation.throttle else ()))


def _own(route: Route) -> Iterator[Answer]:
    """What the handler returns."""
    operation = route.operation
    if operation.returns is Any:
        hint = types.annotations(route.endpoint, str(route)).get("return", Any)
        return _returned(hint, operation.status)
    return _values(operation.returns, operation.status)


def _returned(hint: Any, status: int) -> Iterator[Answer]:
    """Where the annotation is no type of values."""
    for kind in types.alternatives(hint):
        base = get_origin(kind) or kind
        if base is Response and get_args(kind):
            yield from _returned(get_args(kind)[0], status)
        elif isinstance(base, type) and issubclass(base, HttpResponseBase):
            yield _django(base)
        elif base is EventStream:
            yield Answer(status, "text/event-stream")
        elif base in _ITERATORS:
            yield Answer(status, BYTES, bytes)
        elif base is Stream or not _is_known(kind):
            yield Answer(status, ANYTHING)
        else:
            yield from _values(kind, status)


def _django(response: type) -> Answer:
    """Django's responses, whose media type is known of some."""
    status = getattr(response, "status_code", 200)
    if issubclass(response, HttpResponseRedirectBase):
        return Answer(status, headers=("Location",))
    if status == 304:
        return Answer(status)
    if issubclass(response, JsonResponse):
        return Answer(status, JSON, Any)
    whole = issubclass(response, HttpResponse) and not issubclass(response, StreamingHttpResponse | FileResponse)
    return Answer(status, ANYTHING) if response is HttpResponse or not whole else Answer(status, "text/html", str)


def _values(kind: Any, status: int) -> Iterator[Answer]:
    """The engine's rule for plain values: text, bytes, nothing, else JSON."""
    if kind is Any:
        yield Answer(status, ANYTHING)
        return
    members = types.alternatives(kind) if kind is not None else []
    json = [each for each in members if not types.is_text(each) and each is not bytes]
    if json:
        whole = len(json) == len(members) and not types.is_optional(kind)
        yield Answer(status, JSON, kind if whole else Union[tuple(json)])  # noqa: UP007  # made, not written
    if any(map(types.is_text, members)):
        yield Answer(status, TEXT, str)
    if bytes in members:
        yield Answer(status, BYTES, bytes)
    if not members or types.is_optional(kind):
        yield Answer(204 if status == 200 else status)


def _is_known(kind: Any) -> bool:
    try:
        return types.unknown_type(kind) is None
    except Exception:  # whatever people write there for type checkers
        return False


def _documented(status: int, kind: Any) -> Iterator[Answer]:
    """What `responses=` says: a type, HTTPError for problem details, a media type, None, or an OpenAPI object."""
    if isinstance(kind, dict):
        yield Answer(status, written=kind)
    elif isinstance(kind, str):
        yield Answer(status, kind)
    elif kind is HTTPError:
        yield Answer(status, CONTENT_TYPE, Problem)
    elif kind is None:
        yield Answer(status)
    else:
        yield from (answer._replace(status=status) for answer in _values(kind, status))


def _refusals(route: Route) -> Iterator[Answer]:
    """The errors that its parameters bring with them."""
    parameters = route.operation.parameters
    locations = {parameter.location for parameter in parameters}
    for status in refusals(route.operation):
        headers = {401: ("WWW-Authenticate",), 429: ("Retry-After", *RATE_LIMIT)}.get(status, ())
        yield Answer(status, CONTENT_TYPE, Problem, headers)
    if locations & {"body", "form", "file"}:
        yield Answer(400, CONTENT_TYPE, Problem)
        yield Answer(413, CONTENT_TYPE, Problem)
        yield Answer(415, CONTENT_TYPE, Problem)
    if any(each.location != "path" or not each.is_text for each in parameters):
        yield Answer(422, CONTENT_TYPE, InvalidProblem)
    if validators := route.operation.validators:
        if route.method in READING:
            yield Answer(304, headers=validators)
        yield Answer(412, CONTENT_TYPE, Problem)
    if route.limits.timeout:
        yield Answer(504, CONTENT_TYPE, Problem)
