"""Native handlers in front of an ASGI application, for servers other than runrivet."""

import re
from typing import Any
from urllib.parse import unquote_to_bytes

from django.core.handlers.asgi import ASGIHandler
from django.utils.encoding import repercent_broken_unicode

from django_rivet import conf
from django_rivet.asgi.types import Application, Receive, Scope, Send
from django_rivet.discovery import discover
from django_rivet.hatch.table import call, entries, find
from django_rivet.hatch.websocket import HatchWebSocket
from django_rivet.origin import guard, origin_check

ESCAPED_SLASH = re.compile(rb"%2f", re.IGNORECASE)


class NativeApplication:
    """Gives native WebSockets to an ASGI server, and everything else to `application`.

        # the project's asgi.py
        application = NativeApplication(get_asgi_application())

    It goes round a Channels router as well. Native HTTP handlers are views (`django_rivet.urls`); here it is only seen
    to that an escaped slash in a path parameter stays one segment, which Django's own path would lose.

    runrivet sees through it: native handlers are then the engine's.
    """

    def __init__(self, application: Application) -> None:
        """application: made before, as `get_asgi_application()` sets Django up."""
        self.application = application
        self._table = entries(discover())
        self._allowed = origin_check(conf.options().ws_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
            return
        if scope["type"] == "http" and ESCAPED_SLASH.search(_raw(scope)) and find(self._table, _own(scope)):
            scope = {**scope, "path": _keeping_slashes(_raw(scope))}
        await self.application(scope, receive, send)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = find(self._table, _own(scope))
        route = found[0].websocket if found else None
        if found is None or route is None:
            if type(self.application) is not ASGIHandler:
                await self.application(scope, receive, send)
                return
            await _serve(scope, receive, send, _nobody)
            return
        handler = guard(route.handler, self._allowed)
        parameters = call(route, found[1]).parameters
        await _serve(scope, receive, send, lambda socket: handler(socket, **parameters))


async def _serve(scope: Scope, receive: Receive, send: Send, handler: Any) -> None:
    await HatchWebSocket(scope, receive, send, conf.options().high_water).run(handler)


async def _nobody(socket: HatchWebSocket) -> None:
    socket.deny(404, [("Content-Type", "text/plain; charset=utf-8")], b"Not Found\n")


def _raw(scope: Scope) -> bytes:
    """The path as it was sent; servers need not tell it."""
    return (scope.get("raw_path") or scope["path"].encode()).partition(b"?")[0]  # type: ignore[no-any-return]


def _own(scope: Scope) -> bytes:
    """Without the part that the server is mounted at."""
    return _raw(scope).removeprefix(scope.get("root_path", "").encode())


def _keeping_slashes(raw: bytes) -> str:
    segments = [unquote_to_bytes(segment).replace(b"/", b"%2F") for segment in raw.split(b"/")]
    return repercent_broken_unicode(b"/".join(segments)).decode()
