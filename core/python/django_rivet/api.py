"""Native handlers: functions that the engine calls itself, without Django's request, views and middleware.

In `orders/api.py`:

    from django_rivet import API, Request

    api = API(prefix="/orders")

    @api.get("/{number}")
    async def read(number: str) -> dict[str, str]:
        return {"number": number}

    @api.post("")
    def create(request: Request) -> None: ...
"""

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

type Handler = Callable[..., Any]
type Decorator[F] = Callable[[F], F]

PARAMETER = re.compile(r"\{([^{}]*)\}")
# RFC 3986 3.3: what a path holds as it is; the engine decodes the rest before it looks for a route.
SEGMENT = re.compile(r"[A-Za-z0-9\-._~!$&'()*+,;=:@]*")


@dataclass(frozen=True, slots=True)
class Route:
    """One handler and what it answers, as `Reactor.native` takes it, and where it was declared."""

    method: str
    path: str
    handler: Handler
    kind: str
    file: str
    line: int

    @property
    def key(self) -> tuple[str, str]:
        """Equal for routes that take the same requests: the names of parameters make no difference."""
        return self.method, PARAMETER.sub("{}", self.path)

    def __str__(self) -> str:
        return f"{self.method} {self.path} ({self.file}:{self.line})"


class API:
    """A set of native handlers, found when it stands in the module `api` of an installed app.

    prefix: put before each path; "" or like "/orders". A path is "" or like "/items/{id}": `{id}` takes one segment
    and becomes the keyword argument `id`, a str. A handler whose first parameter is called `request` gets the
    `Request`; a WebSocket handler gets the `WebSocket` first.

    A handler returns bytes, str (text/plain), None (204) or what msgspec encodes as JSON: dict, list, Struct...
    HEAD comes with GET, 405 with Allow comes by itself.

    `async def` handlers run on the loop. `def` handlers are measured on a thread first, and run on the loop while
    they stay quick. `inline=True` declares a `def` handler that never blocks, `blocking=True` one that does: it
    always runs on a thread.

    Raises ValueError or TypeError, where it is declared, for what cannot be served.
    """

    def __init__(self, prefix: str = "") -> None:
        if prefix and (not prefix.startswith("/") or prefix.endswith("/")):
            raise ValueError(f"API prefix {prefix!r}: write '' or a path like '/orders', without a slash at the end")
        if PARAMETER.search(prefix):
            raise ValueError(f"API prefix {prefix!r}: path parameters belong into the paths, not into the prefix")
        _check_path(f"API prefix {prefix!r}", prefix)
        self.prefix = prefix
        self.routes: list[Route] = []

    def get[F: Handler](self, path: str, *, inline: bool = False, blocking: bool = False) -> Decorator[F]:
        """Answers GET and HEAD."""
        return self._declare("GET", path, inline, blocking)

    def post[F: Handler](self, path: str, *, inline: bool = False, blocking: bool = False) -> Decorator[F]:
        """Answers POST."""
        return self._declare("POST", path, inline, blocking)

    def put[F: Handler](self, path: str, *, inline: bool = False, blocking: bool = False) -> Decorator[F]:
        """Answers PUT."""
        return self._declare("PUT", path, inline, blocking)

    def patch[F: Handler](self, path: str, *, inline: bool = False, blocking: bool = False) -> Decorator[F]:
        """Answers PATCH."""
        return self._declare("PATCH", path, inline, blocking)

    def delete[F: Handler](self, path: str, *, inline: bool = False, blocking: bool = False) -> Decorator[F]:
        """Answers DELETE."""
        return self._declare("DELETE", path, inline, blocking)

    def head[F: Handler](self, path: str, *, inline: bool = False, blocking: bool = False) -> Decorator[F]:
        """Answers HEAD, where GET's answer without its body would cost too much."""
        return self._declare("HEAD", path, inline, blocking)

    def options[F: Handler](self, path: str, *, inline: bool = False, blocking: bool = False) -> Decorator[F]:
        """Answers OPTIONS."""
        return self._declare("OPTIONS", path, inline, blocking)

    def websocket[F: Handler](self, path: str) -> Decorator[F]:
        """Takes WebSockets: an `async def` that gets the `WebSocket` first and answers its handshake."""
        return self._declare("WEBSOCKET", path, False, False)

    def _declare[F: Handler](self, method: str, path: str, inline: bool, blocking: bool) -> Decorator[F]:
        where = f"{method} {self.prefix}{path}"
        if path and not path.startswith("/"):
            raise ValueError(f"{where}: a path starts with a slash")
        if not self.prefix + path:
            raise ValueError(f"{where}: an API without a prefix needs paths; write '/' for the root")
        _check_path(where, self.prefix + path)
        names = _parameters(where, path)

        def declare(handler: F) -> F:
            kind = _kind(where, handler, method, names, inline, blocking)
            code = inspect.unwrap(handler).__code__
            self.routes.append(Route(method, self.prefix + path, handler, kind, code.co_filename, code.co_firstlineno))
            return handler

        return declare


def _check_path(where: str, path: str) -> None:
    for segment in path.split("/")[1:-1]:
        if segment in ("", ".", ".."):
            raise ValueError(f"{where}: an empty segment, '.' or '..' never matches")
    for segment in path.split("/"):
        if not PARAMETER.fullmatch(segment) and not SEGMENT.fullmatch(segment):
            raise ValueError(
                f"{where}: {segment!r} is neither a parameter like '{{id}}', which takes a whole segment, "
                "nor plain characters of a path"
            )


def _parameters(where: str, path: str) -> list[str]:
    names = PARAMETER.findall(path)
    for name in names:
        if not name.isidentifier():
            raise ValueError(f"{where}: {{{name}}} is no Python name")
        if names.count(name) > 1:
            raise ValueError(f"{where}: {{{name}}} stands there twice")
    return names


def _kind(where: str, handler: Handler, method: str, names: list[str], inline: bool, blocking: bool) -> str:
    is_async = inspect.iscoroutinefunction(handler)
    if inspect.isgeneratorfunction(handler) or inspect.isasyncgenfunction(handler):
        raise TypeError(f"{where}: {handler.__name__} is a generator; native handlers return their answer whole")
    if method == "WEBSOCKET" and not is_async:
        raise TypeError(f"{where}: {handler.__name__} must be an async def")
    if (inline or blocking) and is_async:
        raise TypeError(f"{where}: inline and blocking are for def handlers; {handler.__name__} is an async def")
    if inline and blocking:
        raise TypeError(f"{where}: {handler.__name__} is declared both inline and blocking")

    signature = inspect.signature(handler)
    first = next(iter(signature.parameters), None)
    leading = method == "WEBSOCKET" or (first == "request" and "request" not in names)
    try:
        signature.bind(*[None] * leading, **dict.fromkeys(names))
    except TypeError as error:
        raise TypeError(f"{where}: {handler.__name__}{signature} does not fit the path: {error}") from None
    kind = "async" if is_async else "inline" if inline else "pool" if blocking else "sync"
    return f"{kind}+request" if leading and method != "WEBSOCKET" else kind
