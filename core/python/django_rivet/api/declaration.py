"""What a decorator makes of a handler."""

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django_rivet._core import Request
from django_rivet.api.around import surround
from django_rivet.api.binder import Binder
from django_rivet.api.failures import refuse
from django_rivet.api.joining import joined
from django_rivet.api.options import Settings
from django_rivet.api.overrides import OVERRIDES, Overrides
from django_rivet.api.pagination import item_type, paginated
from django_rivet.api.plain import PlainValues
from django_rivet.api.reader import Reader
from django_rivet.api.returned import Declared, plain, returned
from django_rivet.api.route import REQUIRED, Handler, Operation, Route, place
from django_rivet.api.settle import Settler
from django_rivet.api.signature import Signature


@dataclass(frozen=True, slots=True)
class Declaration:
    """A handler as its router knows it, which is not yet where it will be served."""

    method: str
    path: str
    endpoint: Handler
    handler: Handler
    kind: str
    signature: Signature
    settings: Settings
    returns: Any
    bind: Callable[..., tuple[Handler, bool]]

    def route(
        self,
        prefix: str,
        tags: Sequence[str],
        handlers: tuple[dict[type[Exception], Handler], ...],
        shared: Sequence[Mapping[str, Any]],
    ) -> Route:
        """The route below a prefix. tags, handlers, shared: those of its routers, the nearest router's tags last, its
        exception handlers and options first. Raises TypeError for options that do not go together."""
        path = prefix + self.path
        if not path:
            raise ValueError(f"{self.method} needs a path or a prefix; write '/' for the root {place(self.endpoint)}")
        settings = self.settings.within(shared)
        told = [each.get("responses", {}) for each in reversed(shared)]
        summary, _, rest = (inspect.getdoc(self.endpoint) or "").partition("\n")
        operation = Operation(
            method=self.method,
            path=path,
            name=settings.name or self.endpoint.__name__,
            parameters=tuple(joined(self.signature.parameters)),
            returns=self.returns,
            status=204 if self.returns is None and settings.status == 200 else settings.status,
            tags=tuple(dict.fromkeys([*tags, *settings.tags])),
            summary=settings.summary or summary.strip(),
            description=settings.description or rest.strip(),
            deprecated=settings.deprecated,
            csrf=settings.csrf,
            permissions=bool(settings.permissions),
            throttle=bool(settings.throttle),
            responses={status: kind for each in (*told, settings.responses) for status, kind in each.items()},
            include_in_schema=settings.include_in_schema,
            operation_id=settings.operation_id,
            validators=settings.validators,
        )
        code = inspect.unwrap(self.endpoint).__code__
        route = Route(
            method=self.method,
            path=path,
            handler=self.handler,
            kind=self.kind,
            file=code.co_filename,
            line=code.co_firstlineno,
            endpoint=self.endpoint,
            operation=operation,
            settle=refuse if self.signature.socket else self._settler(operation, settings, handlers),
            limits=settings.limits(f"{self.method} {path}"),
            # With another status the bound handler answers, or its `settle`: the engine gets no value.
            plain=plain(self.returns, 200) if settings.status == 200 else PlainValues(),
        )
        return surround(route, settings, self.bind)

    def _settler(
        self, operation: Operation, settings: Settings, handlers: tuple[dict[type[Exception], Handler], ...]
    ) -> Settler:
        declared = Declared(f"{operation.method} {operation.path}", self.endpoint, self.returns)
        return Settler(
            status=settings.status,
            declared=declared,
            plain=plain(self.returns, settings.status),
            always=settings.returns is not REQUIRED,
            handlers=handlers,
            tagged=settings.etag is True,
        )


def declare(where: str, method: str, path: str, names: list[str], handler: Handler, settings: Settings) -> Declaration:
    """Reads and binds a handler. Raises TypeError or ValueError, with its place, for one that cannot be served."""
    if not hasattr(inspect.unwrap(handler), "__code__"):
        raise TypeError(f"{where}: {handler!r} is no function")
    try:
        kind = _kind(where, handler, method, settings)
        settings.check(where, method)
        called = handler
        if settings.paginate is not None:
            item = item_type(where, returned(where, handler, settings.returns))
            called = paginated(handler, settings.paginate, item, where)
            settings = replace(settings, returns=REQUIRED)
        signature = Reader(where, names, Overrides()).read(called, method, settings.conditions)
        returns = returned(where, called, settings.returns)
        bind = functools.partial(_bind, where, method, names, called, signature, settings)
        bound, leading = bind()
    except (TypeError, ValueError) as error:
        text = str(error) if where in str(error) else f"{where}: {error}"
        raise type(error)(f"{text} {place(handler)}") from None
    kind = f"{kind}+request" if leading and not signature.socket else kind
    return Declaration(method, path, handler, bound, kind, signature, settings, returns, bind)


def _bind(
    where: str,
    method: str,
    names: list[str],
    handler: Handler,
    signature: Signature,
    settings: Settings,
    *,
    made: bool = False,
) -> tuple[Handler, bool]:
    """The function for the engine, and whether it takes the request. made: it never answers by itself."""
    takes = [name for name, argument in signature.arguments.items() if argument is Request]
    first = next(iter(inspect.signature(handler).parameters), None)
    made = made or bool(settings.validators) or settings.returns is not REQUIRED
    if not (made or settings.status != 200 or signature.typed or takes not in ([], [first])):
        leading = bool(takes) or signature.socket
        _check_call(where, handler, names, leading=leading)
        return handler, leading
    if signature.socket and takes[:1] != [first]:
        raise TypeError(f"{where}: {handler.__name__}{inspect.signature(handler)} must take the WebSocket first")

    version = Overrides()
    current: Handler | None = None

    def rebind() -> Handler:
        """The function with the present overrides."""
        nonlocal version, current
        if current is None or version != OVERRIDES:
            version = Overrides(OVERRIDES)
            found = Reader(where, names, version).read(handler, method, settings.conditions)
            current = Binder(handler, found, names, status=settings.status, made=made).make()
        return current

    binder = Binder(handler, signature, names, status=settings.status, made=made)
    return binder.make(rebind, OVERRIDES), binder.wants_request


def _kind(where: str, handler: Handler, method: str, settings: Settings) -> str:
    is_async = inspect.iscoroutinefunction(handler)
    name = handler.__name__
    if inspect.isgeneratorfunction(handler) or inspect.isasyncgenfunction(handler):
        raise TypeError(f"{where}: {name} is a generator; return a Stream or an EventStream of one")
    if method == "WEBSOCKET" and not is_async:
        raise TypeError(f"{where}: {name} must be an async def")
    if (settings.inline or settings.blocking) and is_async:
        raise TypeError(f"{where}: inline and blocking are for def handlers; {name} is an async def")
    if settings.inline and settings.blocking:
        raise TypeError(f"{where}: {name} is declared both inline and blocking")
    return "async" if is_async else "inline" if settings.inline else "pool" if settings.blocking else "sync"


def _check_call(where: str, handler: Handler, names: list[str], *, leading: bool) -> None:
    """A handler that is called as it is."""
    signature = inspect.signature(handler)
    try:
        signature.bind(*[None] * leading, **dict.fromkeys(names))
    except TypeError as error:
        raise TypeError(f"{where}: {handler.__name__}{signature} does not fit the path: {error}") from None
