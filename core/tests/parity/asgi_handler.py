"""Django's ASGIHandler on our handler, for Django's own `asgi` tests."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextvars import Context
from typing import Any

from django.core.exceptions import RequestAborted
from django.core.handlers import asgi as stock
from django.urls import get_resolver

import counting
import fake
from django_rivet.django import DjangoHandler, Pool
from django_rivet.django.request import RivetRequest
from django_rivet.django.routing import Route, Routes


class Core(fake.Request):
    """A request over ASGI: what the handler answers becomes messages."""

    def __init__(self, scope: dict[str, Any], body: Any) -> None:
        super().__init__(scope["method"], scheme=scope.get("scheme", "http"))
        self.path = scope["path"]
        query = scope.get("query_string", b"")
        self.query_string = query if isinstance(query, bytes) else query.encode()
        self.headers = list(scope["headers"])
        self.client, self.server = scope.get("client"), scope.get("server")
        self._file = body
        self.loop = asyncio.get_running_loop()
        self.messages: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()

    def _message(self, message: dict[str, Any] | None) -> None:
        assert self.loop is not None
        self.loop.call_soon_threadsafe(self.messages.put_nowait, message)

    def _head(self, status: int, headers: Iterable[tuple[str, str]]) -> None:
        super()._head(status, headers)
        fields = [(name.encode("ascii"), value.encode("latin-1")) for name, value in self.fields]
        self._message({"type": "http.response.start", "status": status, "headers": fields})

    def respond(self, status: int, headers: Iterable[tuple[str, str]], body: bytes) -> None:
        super().respond(status, headers, body)
        self._message({"type": "http.response.body", "body": body, "more_body": False})
        self._message(None)

    def send_file(self, *arguments: Any) -> None:
        super().send_file(*arguments)
        self._message({"type": "http.response.body", "body": self.sent, "more_body": True})
        self._message({"type": "http.response.body"})
        self._message(None)

    def write(self, data: bytes) -> bool:
        more = super().write(data)
        self._message({"type": "http.response.body", "body": data, "more_body": True})
        return more

    def end(self) -> None:
        super().end()
        self._message({"type": "http.response.body"})
        self._message(None)

    def abort(self) -> None:
        super().abort()
        self._message(None)


_Stock = stock.ASGIHandler


class OwnURLconf(Routes):
    """The routes of a request class that has a URLconf of its own."""

    def find(self, request: Any) -> Route:
        match = get_resolver(request.urlconf).resolve(request.path_info)
        return Route(match.func, "never")


class ASGIHandler(DjangoHandler, _Stock):  # type: ignore[misc]
    """Ours, called as an ASGI application. What brings a request class of its own, but for a URLconf, stays stock."""

    request_class: Any = stock.ASGIRequest

    def __init__(self) -> None:
        pool = Pool(2)
        for worker in pool.workers:
            worker.daemon = True
        DjangoHandler.__init__(self, pool, inline="never")
        own = set(vars(self.request_class)) - {"__module__", "__doc__", "__firstlineno__", "__static_attributes__"}
        if self.request_class is stock.ASGIRequest:
            self.request_class = RivetRequest
        elif own == {"urlconf"}:
            self.request_class = type("Request", (RivetRequest,), {"urlconf": self.request_class.urlconf})
            self.routes = OwnURLconf("never")
        else:
            self.load_middleware(is_async=True)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # type: ignore[override]
        ours = isinstance(self.request_class, type) and issubclass(self.request_class, RivetRequest)
        if scope["type"] != "http" or not ours:
            await _Stock.__call__(self, scope, receive, send)
            return
        counting.sent()
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        core = Core(scope, body)
        answer = asyncio.create_task(self.answer(core, send))
        listener = asyncio.create_task(self.listen_for_disconnect(receive))
        Context().run(DjangoHandler.__call__, self, core)
        try:
            await asyncio.wait({answer, listener}, return_when=asyncio.FIRST_COMPLETED)
            if listener.done():
                answer.cancel()
                if not isinstance(listener.exception(), RequestAborted):
                    listener.result()
        finally:
            core.leave()
            listener.cancel()
            # As Django's handler, this one is done when the response has been closed.
            while self._tasks or self.pool.busy:
                await asyncio.sleep(0.001)
            body.close()

    async def answer(self, core: Core, send: Any) -> None:
        while (message := await core.messages.get()) is not None:
            await send(message)


def install() -> None:
    stock.ASGIHandler = ASGIHandler  # type: ignore[misc]
