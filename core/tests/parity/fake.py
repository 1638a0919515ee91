"""`_core.Request` in Python: what the handler may ask of a request, and what it answered."""

from __future__ import annotations

import asyncio
import io
import os
import threading
import time
from collections.abc import Awaitable, Callable, Iterable
from contextvars import Context
from typing import Any, BinaryIO
from urllib.parse import unquote_to_bytes

from django.utils.encoding import repercent_broken_unicode


class Request:
    """A request and its answer: `status`, `fields` and `sent` are there when `done` is set."""

    def __init__(
        self,
        method: str = "GET",
        target: str = "/",
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        *,
        loop: asyncio.AbstractEventLoop | None = None,
        high_water: int = 1 << 18,
        **attributes: Any,
    ) -> None:
        path, _, query = target.partition("?")
        self.method = method
        self.raw_path = path.encode()
        self.path = repercent_broken_unicode(unquote_to_bytes(path)).decode()
        self.query_string = query.encode("latin-1")
        self.http_version = "1.1"
        self.scheme = "http"
        self.client: tuple[str, int] | None = ("127.0.0.1", 50000)
        self.server: tuple[str, int | None] | None = ("testserver", 80)
        self.id = "1"
        self.headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        if body and self.header("content-length") is None and self.header("transfer-encoding") is None:
            self.headers.append((b"content-length", str(len(body)).encode()))
        self.body = body
        self.content_length: int | None = len(body)
        self.loop = loop
        self.high_water = high_water
        self.disconnected = False
        self.status = 0
        self.fields: list[tuple[str, str]] = []
        self.sent = b""
        self.unread = 0
        self.begun = self.aborted = False
        self.done = threading.Event()
        self._on_disconnect: Callable[[], None] | None = None
        self._drained: list[asyncio.Future[None]] = []
        self._file: BinaryIO | None = None
        self.route = ""
        self.__dict__.update(attributes)

    def matched(self, pattern: str) -> None:
        self.route = pattern

    def got_thread(self) -> None:
        pass

    @property
    def file(self) -> BinaryIO:
        if self._file is None:
            self._file = io.BytesIO(self.body)
        return self._file

    def header(self, name: str) -> str | None:
        values = [value.decode("latin-1") for field, value in self.headers if field.decode() == name]
        return ",".join(values) if values else None

    def meta(self) -> dict[str, Any]:
        meta: dict[str, Any] = {
            "REQUEST_METHOD": self.method,
            "QUERY_STRING": self.query_string.decode("latin-1"),
            "SCRIPT_NAME": "",
            "PATH_INFO": self.path,
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
        }
        if self.client:
            host, port = self.client
            meta |= {"REMOTE_ADDR": host, "REMOTE_HOST": host, "REMOTE_PORT": port}
        host, number = self.server or ("unknown", 0)
        meta |= {"SERVER_NAME": host, "SERVER_PORT": str(number)}
        for field, value in self.headers:
            name = field.decode().upper().replace("-", "_")
            if "_" in field.decode():
                continue
            key = name if name in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{name}"
            text = value.decode("latin-1")
            if key in meta:
                text = f"{meta[key]}{'; ' if key == 'HTTP_COOKIE' else ','}{text}"
            meta[key] = text
        return meta

    def respond(self, status: int, headers: Iterable[tuple[str, str]], body: bytes) -> None:
        self._head(status, headers)
        self.sent = bytes(body)
        self.done.set()

    def start(self, status: int, headers: Iterable[tuple[str, str]]) -> None:
        self._head(status, headers)

    def _head(self, status: int, headers: Iterable[tuple[str, str]]) -> None:
        if self.begun:
            raise RuntimeError("An answer was given already.")
        fields = [(str(name), str(value)) for name, value in headers]
        for name, value in fields:
            if any(character in "\r\n\0" for character in name + value):
                raise ValueError(f"Bad field: {name!r}")
        self.begun, self.status, self.fields = True, status, fields

    def write(self, data: bytes) -> bool:
        if self.disconnected:
            raise ConnectionResetError("The client has gone.")
        assert self.begun and isinstance(data, bytes)
        self.sent += data
        self.unread += len(data)
        return self.unread < self.high_water

    def end(self) -> None:
        self.done.set()

    def abort(self) -> None:
        self.aborted = True
        self.done.set()

    def send_file(
        self,
        status: int,
        headers: Iterable[tuple[str, str]],
        path_or_fd: str | int,
        offset: int = 0,
        count: int | None = None,
    ) -> None:
        self._head(status, headers)
        size = os.stat(path_or_fd).st_size - offset if count is None else count
        fd = os.dup(path_or_fd) if isinstance(path_or_fd, int) else os.open(path_or_fd, os.O_RDONLY)
        try:
            self.sent = os.pread(fd, size, offset)
        finally:
            os.close(fd)
        self.by_kernel = True
        self.done.set()

    by_kernel = False

    def drained(self) -> Awaitable[None]:
        future = asyncio.get_running_loop().create_future()
        if self.disconnected:
            future.set_exception(ConnectionResetError("The client has gone."))
        elif self.unread < self.high_water:
            future.set_result(None)
        else:
            self._drained.append(future)
        return future

    def on_disconnect(self, callback: Callable[[], None]) -> None:
        self._on_disconnect = callback
        if self.disconnected:
            asyncio.get_running_loop().call_soon(callback)

    # The client's side.

    def read_all(self) -> None:
        """The client reads what was sent."""
        self.unread = 0
        for future in self._drained:
            future.set_result(None)
        self._drained.clear()

    def leave(self) -> None:
        """The client closes the connection."""
        self.disconnected = True
        for future in self._drained:
            future.set_exception(ConnectionResetError("The client has gone."))
        self._drained.clear()
        if self._on_disconnect and not self.done.is_set():
            self._on_disconnect()


class Engine:
    """A thread with a loop that gives requests to a handler as the engine does."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, name="io", daemon=True)
        self.thread.start()

    def give(self, handler: Callable[[Any], None], request: Request) -> Request:
        request.loop = self.loop
        self.loop.call_soon_threadsafe(handler, request, context=Context())
        return request

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Runs `function` on the I/O thread."""

        async def run() -> Any:
            return function(*arguments)

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(10)

    def ask(self, handler: Callable[[Any], None], *arguments: Any, timeout: float = 10, **attributes: Any) -> Request:
        """Gives a request and waits for the end of its answer."""
        request = self.give(handler, Request(*arguments, **attributes))
        assert request.done.wait(timeout), f"no answer within {timeout} s"
        return request

    def settle(self, handler: Any) -> None:
        """Waits until the handler has finished all requests, not only answered them."""
        end = time.monotonic() + 10
        while handler.pool.busy or self.call(lambda: len(asyncio.all_tasks(self.loop))) > 1:
            assert time.monotonic() < end, "requests without an end"
            time.sleep(0.005)

    def close(self) -> None:
        """Waits for the tasks to end: one that is destroyed writes its context into whichever runs just then."""
        end = time.monotonic() + 10
        while self.call(lambda: len(asyncio.all_tasks(self.loop))) > 1:
            assert time.monotonic() < end, self.call(asyncio.all_tasks, self.loop)
            time.sleep(0.005)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()
