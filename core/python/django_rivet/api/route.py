"""What a handler answers, as the engine takes it and as it is described to others."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from django_rivet.api.auth import Authenticator
from django_rivet.api.limits import Limits
from django_rivet.api.markers import File
from django_rivet.api.paths import PARAMETER
from django_rivet.api.plain import PlainValues

type Handler = Callable[..., Any]
type Location = Literal["path", "query", "header", "cookie", "form", "file", "body"]
type Settle = Callable[[Any, Any, Any], Any]

REQUIRED = inspect.Parameter.empty


@dataclass(frozen=True, slots=True)
class Parameter:
    """One thing that a handler, or a provider it depends on, reads from the request.

    location, name: where it stands in the request, and as what. annotation: its type with msgspec's constraints, e.g.
    `Annotated[int, msgspec.Meta(ge=1)]`. default: REQUIRED when there is none. whole: the annotation is a Struct,
    dataclass or TypedDict whose fields are names of that location; always so for "body", which has the name "". file:
    what a file must be, where that is said.
    """

    location: Location
    name: str
    annotation: Any
    default: Any = REQUIRED
    whole: bool = False
    file: File | None = None

    @property
    def is_text(self) -> bool:
        """Is it taken as the text that it is?"""
        return self.annotation in (str, Any)


@dataclass(frozen=True, slots=True)
class Operation:
    """A route for who describes it (OpenAPI) or names it (`reverse`).

    name: the handler's, unless the decorator has one. parameters: those of its providers, `etag` and `last_modified`
    among them. returns: the type of what is answered with `status`; None: nothing; Any: not known. summary,
    description: the docstring's first line, and the rest. auth: any of them may say who sends a request; an `Anonymous`
    lets strangers in. csrf: whether it is checked of those known by a cookie. permissions, throttle: is there a rule?
    responses: documented ones, by status. validators: the fields that tell its version, ETag and Last-Modified (RFC
    9110 8.8); by them the answer may be 304 or 412.
    """

    method: str
    path: str
    name: str
    parameters: tuple[Parameter, ...] = ()
    returns: Any = Any
    status: int = 200
    tags: tuple[str, ...] = ()
    summary: str = ""
    description: str = ""
    deprecated: bool = False
    auth: tuple[Authenticator, ...] = ()
    csrf: bool = True
    permissions: bool = False
    throttle: bool = False
    responses: Mapping[int, Any] = field(default_factory=dict)
    include_in_schema: bool = True
    operation_id: str = ""
    validators: tuple[str, ...] = ()

    @property
    def body(self) -> Parameter | None:
        """The JSON body, if there is one."""
        return next((each for each in self.parameters if each.location == "body"), None)


@dataclass(frozen=True, slots=True)
class Route:
    """One handler and what it answers, as `Reactor.native` takes it, and where it was declared.

    handler: called as `handler(request, **path)` when `kind` ends in "+request", else as `handler(**path)`; `path` has
    the path's parameters as str. `endpoint` is the function as it was declared, the same one if there is nothing
    to do around it. What it returns is the answer: bytes, str, None or what msgspec encodes as JSON, unless it has
    answered through the request.

    settle: `settle(request, value, error)` answers for the rest, through the request: for an exception of the handler
    (value is None), for a value that msgspec cannot encode (`error` says so), for one that `plain` does not take, and
    for any value of a handler that has used the session (`error` is None). It returns None when it has answered,
    or a coroutine to be run on the loop, which answers. It blocks where no loop runs, and only there.
    Of a WebSocket it is `settle(socket, None, error)`, for an exception before the handshake has been answered, and
    says whether it has answered that.
    plain: which values that are no JSON it may return.
    """

    method: str
    path: str
    handler: Handler
    kind: str
    file: str
    line: int
    endpoint: Handler
    operation: Operation
    settle: Settle
    limits: Limits = Limits()
    plain: PlainValues = PlainValues()

    @property
    def given(self) -> tuple[str, str, Handler, str, Settle, dict[str, Any]]:
        """As `Reactor.native` takes it."""
        options = {**self.limits.engine(), "plain": self.plain.engine()}
        return self.method, self.path, self.handler, self.kind, self.settle, options

    @property
    def key(self) -> tuple[str, str]:
        """Equal for routes that take the same requests: the names of parameters make no difference."""
        return self.method, PARAMETER.sub("{}", self.path)

    def __str__(self) -> str:
        return f"{self.method} {self.path} ({self.file}:{self.line})"


def place(handler: Handler) -> str:
    """Where a handler stands, for messages."""
    code: Any = inspect.unwrap(handler).__code__
    return f"({code.co_filename}:{code.co_firstlineno})"
