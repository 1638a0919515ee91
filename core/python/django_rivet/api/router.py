"""Where handlers are declared."""

import inspect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Concatenate, Protocol, Unpack

from django_rivet._core import Request, WebSocket
from django_rivet.api.declaration import Declaration, declare
from django_rivet.api.limits import Limits
from django_rivet.api.options import Options, Settings
from django_rivet.api.overrides import OVERRIDES, Overrides
from django_rivet.api.paths import check_path, check_prefix, parameters
from django_rivet.api.route import Handler, Route, place
from django_rivet.api.shared import DEFAULTS, Shared, SocketOptions, check_names, named

type ExceptionHandler[E] = Callable[[Request, E], Any]


class Decorator(Protocol):
    """Gives the handler back as it is."""

    def __call__[F: Handler](self, handler: F, /) -> F: ...


class SocketDecorator(Protocol):
    """The same for a handler of WebSockets."""

    def __call__[F: Callable[Concatenate[WebSocket, ...], Awaitable[object]]](self, handler: F, /) -> F: ...


@dataclass
class _Included:
    router: "Router"
    prefix: str


class Router:
    """A set of handlers for an `API` to include: it serves nothing by itself. Its parts are those of `API`."""

    def __init__(self, prefix: str = "", *, tags: Sequence[str] = (), **shared: Unpack[Shared]) -> None:
        check_prefix(f"{type(self).__name__} prefix {prefix!r}", prefix)
        check_names(f"{type(self).__name__}()", shared, DEFAULTS)
        self.prefix = prefix
        self.tags = tuple(tags)
        name = type(self).__name__
        Limits.of(name, shared.get("max_body"), shared.get("timeout"), shared.get("compress"))
        self.shared = named(shared, f"{type(self).__name__} {prefix}")
        self.handlers: dict[type[Exception], Handler] = {}
        self._parts: list[Declaration | _Included] = []

    @property
    def routes(self) -> list[Route]:
        """All routes, those of included routers among them, in the order of their declaration."""
        return self._routes("", ())

    def include(self, router: "Router", prefix: str = "") -> None:
        """Serves a router's handlers here, also those that it gets later, below this prefix and its own.

        Raises ValueError for a bad prefix or a router that would include itself, TypeError for an `API`: that is found
        and served by itself.
        """
        check_prefix(f"include(prefix={prefix!r})", prefix)
        if isinstance(router, API):
            raise TypeError("include() takes a Router: an API is found and served by itself")
        if router.has(self):
            raise ValueError("include(): a router cannot include itself")
        self._parts.append(_Included(router, prefix))

    def exception[E: Exception](
        self, kind: type[E]
    ) -> Callable[[Callable[[Request, E], Any]], Callable[[Request, E], Any]]:
        """Answers when a handler here, or in an included router, raises such an exception or a subclass of it.

        The function, `def` or `async def`, gets the request and the exception, and returns what a handler may return;
        with status 200, unless a `Response` says otherwise. The nearest router decides, and there the nearest class.
        """
        if not (isinstance(kind, type) and issubclass(kind, Exception)):
            raise TypeError(f"exception({kind!r}): name a class of exceptions")

        def decorate(handler: ExceptionHandler[E]) -> ExceptionHandler[E]:
            try:
                inspect.signature(handler).bind(None, None)
            except TypeError:
                raise TypeError(
                    f"exception({kind.__name__}): {handler.__name__}{inspect.signature(handler)} must take the request "
                    f"and the exception {place(handler)}"
                ) from None
            self.handlers[kind] = handler
            return handler

        return decorate

    def get(self, path: str, **options: Unpack[Options]) -> Decorator:
        """Answers GET and HEAD."""
        return self._declare("GET", path, options)

    def post(self, path: str, **options: Unpack[Options]) -> Decorator:
        """Answers POST."""
        return self._declare("POST", path, options)

    def put(self, path: str, **options: Unpack[Options]) -> Decorator:
        """Answers PUT."""
        return self._declare("PUT", path, options)

    def patch(self, path: str, **options: Unpack[Options]) -> Decorator:
        """Answers PATCH."""
        return self._declare("PATCH", path, options)

    def delete(self, path: str, **options: Unpack[Options]) -> Decorator:
        """Answers DELETE."""
        return self._declare("DELETE", path, options)

    def head(self, path: str, **options: Unpack[Options]) -> Decorator:
        """Answers HEAD, where GET's answer without its body would cost too much."""
        return self._declare("HEAD", path, options)

    def options(self, path: str, **options: Unpack[Options]) -> Decorator:
        """Answers OPTIONS."""
        return self._declare("OPTIONS", path, options)

    def websocket(self, path: str, **options: Unpack[SocketOptions]) -> SocketDecorator:
        """Takes WebSockets: an `async def` that gets the `WebSocket` first and answers its handshake.

        Its other parameters come from the handshake, as those of other handlers do from their request: path, query,
        header fields, cookies and providers. What they raise answers the handshake, as does the handler until then.
        """
        return self._declare("WEBSOCKET", path, options)

    def _routes(self, prefix: str, routers: "tuple[Router, ...]") -> list[Route]:
        routers = (self, *routers)
        found = []
        for part in self._parts:
            if isinstance(part, Declaration):
                tags = [tag for router in reversed(routers) for tag in router.tags]
                handlers = tuple(router.handlers for router in routers)
                shared = [router.shared for router in routers]
                found.append(part.route(prefix + self.prefix, tags, handlers, shared))
            else:
                found += part.router._routes(prefix + self.prefix + part.prefix, routers)
        return found

    @property
    def included(self) -> "list[Router]":
        """This one, and all that are included here."""
        parts = (part.router.included for part in self._parts if isinstance(part, _Included))
        return [self, *(each for included in parts for each in included)]

    def has(self, router: "Router") -> bool:
        """Whether it is this one, or included here."""
        return any(each is router for each in self.included)

    def _declare(self, method: str, path: str, options: Options | SocketOptions) -> Decorator:
        if not isinstance(path, str):
            raise TypeError(f"{method.lower()}({path!r}): a path comes first, as in @api.{method.lower()}('/items')")
        where = f"{method} {self.prefix}{path}"
        known = SocketOptions if method == "WEBSOCKET" else Options
        check_names(f"{where}: {method.lower()}()", options, known.__optional_keys__)
        declared = Settings(**named(options, where))
        if path and not path.startswith("/"):
            raise ValueError(f"{where}: a path starts with a slash")
        if isinstance(self, API) and not self.prefix + path:
            raise ValueError(f"{where}: an API without a prefix needs paths; write '/' for the root")
        if not 200 <= declared.status <= 599:
            raise ValueError(f"{where}: {declared.status} is no status of an answer: it must be from 200 to 599")
        check_path(where, self.prefix + path)
        names = parameters(where, path)

        def decorate[F: Handler](handler: F) -> F:
            self._parts.append(declare(where, method, path, names, handler, declared))
            return handler

        return decorate


class API(Router):
    """A set of native handlers, found when it stands in the module `api` of an installed app.

    prefix: put before each path; "" or like "/orders". A path is "" or like "/items/{id}": `{id}` takes one segment
    and is the handler's parameter `id`. tags: for those who describe the API.

    A handler's other parameters come from the query, or from the JSON body when they are a Struct, dataclass, TypedDict
    or dict; `Annotated` with Query, Header, Cookie, Form, File, Body and Depends says otherwise. A first parameter
    called `request`, or one annotated `Request`, gets the `Request`; a WebSocket handler gets the `WebSocket` first,
    and has no body, form or file.

    A handler returns bytes, str (text/plain), None (204) or what msgspec encodes as JSON: dict, list, Struct...; also
    `Response`, `Stream`, `EventStream`, Django's responses, and models and querysets where `-> Item` or
    `-> list[Item]` says which Struct is made of them. HEAD comes with GET, 405 with Allow comes by itself.

    `async def` handlers run on the loop. `def` handlers are measured on a thread first, and run on the loop while
    they stay quick. The decorators take

    inline: this `def` handler never blocks, and runs on a thread only with a body of 64 KiB or more; blocking: it does,
        and always runs on a thread
    status: of a value that has no other; 200
    returns: the type that every value is converted to, so that nothing else gets out; the annotation by default,
        which converts only what is not JSON by itself
    name, tags, summary, description, deprecated, operation_id: for `reverse` and for OpenAPI

    and, as `API` and `Router` do for all of their routes, where the nearest one holds,

    auth: who may be behind a request, one authenticator or several; the first that knows the sender counts, and without
        one the answer is 401; None: anybody
    permissions: what they may, see `Permission`; else 403
    csrf: False takes Django's check of requests that a cookie identifies off
    throttle: how often they may come, see `Throttle`; else 429
    atomic: a `def` handler runs in a transaction, which an exception undoes; True, or a database's alias
    middleware: Django's middleware by name or class, the outermost first, around the handler with requests and
        responses of Django's; slower
    max_body: bytes of a request's body, or like "10M", instead of RIVET_MAX_BODY; a larger one is answered with 413
    timeout: seconds until the answer must have begun, else 504; 0: any. The handler is cancelled; a `def` on a thread
        ends by itself, one on the loop cannot be interrupted
    compress: False, True or codings like "zstd,gzip", instead of RIVET_COMPRESSION
    responses: more answers for OpenAPI, by status: a type, HTTPError for problem details, a media type such as
        "text/csv", None for no body, or a Response Object; those of routers and routes are joined
    include_in_schema: False leaves it out of OpenAPI

    and for one route

    paginate: the handler returns a queryset, the answer is a `Page` of `returns=list[Item]`
    etag, last_modified: functions as `Depends` takes them, for the tag or the time of what is asked for; the answer is
        304 or 412 where the request's conditions say so (RFC 9110 13). etag=True makes the tag of the answer

    Raises ValueError or TypeError, where it is declared, for what cannot be served.
    """

    @property
    def overrides(self) -> Overrides:
        """Other providers in place of those that `Depends` names, for tests; they hold for the whole process."""
        return OVERRIDES
