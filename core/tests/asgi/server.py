"""The engine on a thread of its own, for tests that talk to it over real sockets."""

import asyncio
import contextlib
import gc
import socket
import threading
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPResponse
from typing import Any

from websockets.sync.client import ClientConnection, connect

from django_rivet._core import Reactor, WebSocket
from django_rivet.asgi import AsgiHandler
from waiting import until

DEADLINE = 10.0


def only(kind: str, application: Any) -> Any:
    """The application, which raises for scopes of other kinds."""

    async def checked(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != kind:
            raise ValueError(f"{kind} only")
        await application(scope, receive, send)

    return checked


def receive(connection: socket.socket, done: Callable[[bytes], Any], piece: int = 1 << 20) -> bytes:
    """Reads, at most `piece` bytes at a time, until `done` holds for what has come."""
    data = b""
    while not done(data):
        part = connection.recv(piece)
        assert part, f"the connection ended after {data!r}"
        data += part
    return data


def receive_all(connection: socket.socket) -> bytes:
    """Reads until the server closes or cuts the connection."""
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(1 << 20):
            data += part
    return data


class Server:
    """What `serve` gives: where to connect, and how to look inside."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.loop: asyncio.SelectorEventLoop
        self.reactor: Reactor
        self.handler: AsgiHandler | None = None
        self.clients = contextlib.ExitStack()

    def call(self, function: Callable[..., Any], *args: Any) -> Any:
        """Calls a function on the I/O thread."""

        async def run() -> Any:
            return function(*args)

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(DEADLINE)

    def stats(self) -> dict[str, int]:
        """The engine's counters, read where they may be."""
        return self.call(self.reactor.stats)

    def http(self) -> HTTPConnection:
        """A client for one kept-alive connection."""
        return HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)

    def raw(self, data: bytes = b"") -> socket.socket:
        """A socket that has sent `data`."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE)
        connection.sendall(data)
        return connection

    def open(self, path: str = "/", **options: Any) -> ClientConnection:
        """A WebSocket client that is closed when the test ends, if not before."""
        return self.clients.enter_context(connect(self.url(path), **options))

    def url(self, path: str = "/") -> str:
        """A WebSocket's address."""
        return f"ws://127.0.0.1:{self.port}{path}"


def get(server: Server, path: str = "/") -> tuple[HTTPResponse, bytes]:
    """One request on a connection of its own: the response and its body."""
    connection = server.http()
    connection.request("GET", path)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response, body


@contextlib.contextmanager
def serve(
    application: Any = None,
    *,
    allowed: Callable[[WebSocket], bool] | None = None,
    setup: Callable[[Reactor], None] | None = None,
    **options: object,
) -> Iterator[Server]:
    """Serves an ASGI application, behind an Origin check, or what `setup` makes of the reactor; ends it in order.

    options: those of the engine (django_rivet.conf).
    """
    server = Server()
    ready: list[BaseException | None] = []
    ended: list[BaseException] = []
    stop = threading.Event()

    async def start() -> None:
        if application is not None:
            server.handler = AsgiHandler(application, allowed)
            await server.handler.startup()
            server.reactor.fallback(server.handler.http, stream_body=True)
            server.reactor.websocket(server.handler.websocket)
        if setup is not None:
            setup(server.reactor)
        server.reactor.listen(server.listener.fileno())

    async def finish() -> None:
        while not stop.is_set():
            await asyncio.sleep(0.01)
        server.reactor.drain()
        async with asyncio.timeout(DEADLINE):
            while not server.reactor.idle():
                await asyncio.sleep(0.01)
        if server.handler is not None:
            await server.handler.shutdown(DEADLINE)

    def main() -> None:
        server.reactor = Reactor(options)
        server.loop = asyncio.SelectorEventLoop(server.reactor)
        server.reactor.attach(server.loop)
        try:
            server.loop.run_until_complete(start())
        except BaseException as error:
            ready.append(error)
            return
        ready.append(None)
        try:
            server.loop.run_until_complete(finish())
        except BaseException as error:
            ended.append(error)
        finally:
            server.loop.close()
            # They belong to this thread, to their very end.
            server.handler = None
            del server.reactor, server.loop
            gc.collect()

    thread = threading.Thread(target=main, name="engine", daemon=True)
    thread.start()
    try:
        until(lambda: ready, "the engine's start")
        if ready[0] is not None:
            raise ready[0]
        with server.clients:
            yield server
    finally:
        stop.set()
        thread.join(3 * DEADLINE)
        server.listener.close()
    assert not thread.is_alive(), "the engine did not stop"
    if ended:
        raise ended[0]
