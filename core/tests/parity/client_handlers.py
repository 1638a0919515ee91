"""Django's test client and async test client on our handler, for Django's own suites."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any

from asgiref.sync import async_to_sync, sync_to_async
from django.core.handlers.wsgi import LimitedStream, get_path_info, get_script_name
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.http.response import FileResponse, HttpResponseBase
from django.test import client as stock
from django.test.client import (
    FakePayload,
    aclosing_iterator_wrapper,
    closing_iterator_wrapper,
    conditional_content_removal,
)
from django.urls import get_script_prefix, set_script_prefix

import counting
import fake
from django_rivet.django import DjangoHandler, Pool, async_, sync
from django_rivet.django.request import RivetRequest


class Handler(DjangoHandler):
    """Remembers the response, and the exception that Django's handlers let pass."""

    response: HttpResponseBase | None = None
    error: BaseException | None = None

    def __init__(self) -> None:
        # Never inline: the halves of async views then run where async_to_sync was called, in the test's transaction.
        super().__init__(Pool(1), inline="never")

    def get_response(self, request: Any) -> Any:
        try:
            self.response = _left_open(super().get_response(request))
        except BaseException as error:
            self.error = error
            raise
        return self.response

    async def get_response_async(self, request: Any) -> Any:
        try:
            self.response = _left_open(await super().get_response_async(request))
        except BaseException as error:
            self.error = error
            raise
        return self.response


class ClientRequest(RivetRequest):
    """What tests of WSGI know besides: environ, and SCRIPT_NAME in it."""

    environ = property(lambda self: self.META)

    def __init__(self, core: Any) -> None:
        super().__init__(core)
        if script_name := get_script_name(self.META):
            self._force_script_name(script_name)


class Core(fake.Request):
    """A request of the test client: META is the environ, as it is with WSGIRequest."""

    def __init__(self, environ: dict[str, Any]) -> None:
        super().__init__(environ["REQUEST_METHOD"], scheme=environ.get("wsgi.url_scheme", "http"), high_water=1 << 40)
        self.environ = environ
        environ.setdefault("QUERY_STRING", "")
        if "REMOTE_USER" in environ:
            # A server of ours gets the name from a proxy, in a header.
            environ["HTTP_REMOTE_USER"] = environ["REMOTE_USER"]
        # As WSGIRequest has it.
        self.path = f"{get_script_name(environ).rstrip('/')}/{get_path_info(environ).replace('/', '', 1)}"
        self.error: BaseException | None = None
        self.query_string = environ.get("QUERY_STRING", "").encode("latin-1")
        self.chunks: list[bytes] = []

    @property
    def file(self) -> Any:
        length = int(self.environ.get("CONTENT_LENGTH") or 0)
        return LimitedStream(self.environ["wsgi.input"], length)

    def meta(self) -> dict[str, Any]:
        return self.environ

    def write(self, data: bytes) -> bool:
        self.chunks.append(data)
        return True

    def abort(self) -> None:
        super().abort()
        self.error = sys.exception()

    def read_again(self) -> Iterator[bytes]:
        """The body as the test reads it, or gets the exception that cut it."""
        yield from self.chunks
        if self.error is not None:
            raise self.error

    def send_file(self, status: int, headers: Iterable[tuple[str, str]], path_or_fd: Any, *place: Any) -> None:
        super().send_file(status, headers, path_or_fd, *place)
        size = FileResponse.block_size
        self.chunks += [self.sent[start : start + size] for start in range(0, len(self.sent), size)]


class AsyncCore(Core):
    """A request of the async client."""

    def __init__(self, scope: dict[str, Any], body: Any) -> None:
        fake.Request.__init__(self, scope["method"], headers=(), scheme=scope.get("scheme", "http"), high_water=1 << 40)
        self.path = scope["path"]
        query = scope.get("query_string", b"")
        self.query_string = query if isinstance(query, bytes) else query.encode()
        self.headers = list(scope["headers"])
        self.client = tuple(scope["client"]) if scope.get("client") else None
        self.server = tuple(scope["server"]) if scope.get("server") else None
        self.stream = LimitedStream(body, len(body))
        self.error = None
        self.chunks = []

    @property
    def file(self) -> Any:
        return self.stream

    def meta(self) -> dict[str, Any]:
        return fake.Request.meta(self)


class _Mixin:
    enforce_csrf_checks: bool
    request_class = RivetRequest
    rivet: Handler | None = None

    def prepare(self, core: Core) -> tuple[Handler, RivetRequest, Any]:
        counting.sent()
        handler = self.rivet
        if handler is None:
            # The settings may be overridden: not before the first request, as Django's does.
            handler = self.rivet = Handler()
        handler.response = handler.error = None
        request = self.request_class(core)
        request._dont_enforce_csrf_checks = not self.enforce_csrf_checks
        return handler, request, handler.routes.find(request)

    def result(self, handler: Handler, request: RivetRequest, core: Core) -> Any:
        if handler.error is not None:
            raise handler.error
        response: Any = handler.response
        assert response is not None and core.done.is_set(), "no answer"
        if response.streaming:
            del response.close
            wrap, again = closing_iterator_wrapper, core.read_again()
            if response.is_async:
                wrap, again = aclosing_iterator_wrapper, _aiter(core)
            closers, response._resource_closers = response._resource_closers, []
            response._iterator = wrap(again, response.close)
            response._resource_closers = closers
        conditional_content_removal(request, response)
        return response


async def _aiter(core: Core) -> AsyncIterator[bytes]:
    for chunk in core.read_again():
        yield chunk


def _left_open(response: Any) -> Any:
    """Django's client closes a streaming response when the test has read it, not when it has been sent."""
    if response.streaming:
        response.close = lambda: None
    return response


class _Kept:
    """The test's connections stay open and its script prefix as it is, as with Django's client."""

    def __enter__(self) -> None:
        self.prefix = get_script_prefix()
        request_started.disconnect(close_old_connections)
        request_finished.disconnect(close_old_connections)

    def __exit__(self, *_: object) -> None:
        request_started.connect(close_old_connections)
        request_finished.connect(close_old_connections)
        set_script_prefix(self.prefix)


class ClientHandler(_Mixin, stock.ClientHandler):
    request_class = ClientRequest

    def __call__(self, environ: dict[str, Any]) -> Any:
        core = Core(environ)
        handler, request, route = self.prepare(core)
        with _Kept():
            if route.is_async or handler.only_async:
                async_to_sync(async_.serve)(handler, request, route.lane)
            else:
                rest = sync.serve(handler, request, None)
                if rest is not None:
                    async_to_sync(_wait)(rest)
        response = self.result(handler, request, core)
        response.wsgi_request = request
        return response


async def _wait(rest: Any) -> None:
    await rest


class AsyncClientHandler(_Mixin, stock.AsyncClientHandler):
    async def __call__(self, scope: dict[str, Any]) -> Any:
        body = scope.pop("_body_file") if "_body_file" in scope else FakePayload("")
        core = AsyncCore(scope, body)
        handler, request, route = self.prepare(core)
        with _Kept():
            if route.is_async or handler.only_async:
                await async_.serve(handler, request, route.lane)
            else:
                rest = await sync_to_async(sync.serve)(handler, request, None)
                if rest is not None:
                    await rest
        response = self.result(handler, request, core)
        response.asgi_request = request
        return response


def install() -> None:
    stock.ClientHandler = ClientHandler  # type: ignore[misc]
    stock.AsyncClientHandler = AsyncClientHandler  # type: ignore[misc]
