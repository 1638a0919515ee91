"""A panic, a defect of the engine's own, ends one connection; here one is made where Python code is called."""

import asyncio
import contextlib
import contextvars
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Annotated

import httpx
import pytest
from django.db import close_old_connections

from django_rivet import API, Depends, Request, Stream, WebSocket
from django_rivet._core import PanicException, Reactor
from django_rivet.discovery import given
from django_rivet.origin import origin_check
from django_rivet.server.thread import ServerThread
from serving import another, serving, until

api = API()
mark = contextvars.ContextVar("mark", default="none")


def defect(*_: object) -> None:
    raise PanicException("on purpose")


def marked_defect() -> None:
    mark.set("left behind")
    defect()


@api.get("/fine")
async def fine() -> str:
    return mark.get()


@api.get("/ready")
async def ready() -> None:
    marked_defect()


@api.get("/waits")
async def waits() -> None:
    await asyncio.sleep(0)
    marked_defect()


@api.get("/inline", inline=True)
def inline() -> None:
    marked_defect()


@api.get("/pool", blocking=True)
def pool() -> None:
    marked_defect()


@api.get("/provided")
async def provided(value: Annotated[None, Depends(marked_defect)]) -> None: ...


@api.post("/body")
async def body(request: Request) -> None:
    marked_defect()


async def pieces() -> AsyncIterator[str]:
    yield "begun"
    marked_defect()


@api.get("/stream")
async def stream() -> Stream:
    return Stream(pieces())


@api.get("/left")
async def left(request: Request) -> None:
    request.on_disconnect(defect)
    await asyncio.sleep(60)


@api.websocket("/socket")
async def websocket(socket: WebSocket) -> None:
    socket.accept()
    marked_defect()


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with serving(api, access_log="off") as client:
        yield client


@pytest.fixture(autouse=True)
def goes_on(client: httpx.Client) -> Iterator[None]:
    yield
    # All threads, and the I/O thread's context.
    for _ in range(8):
        assert client.get("/fine").text == "none"


@pytest.mark.parametrize("path", ["/ready", "/waits", "/inline", "/pool", "/provided"])
def test_it_is_answered_with_500(client: httpx.Client, path: str, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        assert client.get(path).status_code == 500
    assert caplog.records and all(record.levelno >= logging.ERROR for record in caplog.records)


def test_with_a_body(client: httpx.Client) -> None:
    assert client.post("/body", content=b"x" * 100_000).status_code == 500


def test_what_has_begun_is_cut(client: httpx.Client) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        client.get("/stream")


def connected(client: httpx.Client) -> socket.socket:
    return socket.create_connection((client.base_url.host, client.base_url.port or 0), timeout=10)


def test_the_others_of_the_same_turn_are_served(client: httpx.Client) -> None:
    request = "GET {} HTTP/1.1\r\nHost: localhost\r\n\r\n"
    bad, good = connected(client), connected(client)
    with bad, good:
        bad.sendall(request.format("/inline").encode())
        good.sendall(2 * request.format("/fine").encode())
        received = b""
        while received.count(b"none") < 2:
            assert (more := good.recv(4096))
            received += more
        assert bad.recv(4096).startswith(b"HTTP/1.1 500 ")


def test_a_websocket_is_closed(client: httpx.Client) -> None:
    with connected(client) as connection:
        connection.sendall(
            b"GET /socket HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        received = b""
        while more := connection.recv(4096):
            received += more
        assert received.startswith(b"HTTP/1.1 101 ")


def test_a_callback(client: httpx.Client, caplog: pytest.LogCaptureFixture) -> None:
    with connected(client) as connection:
        connection.sendall(b"GET /left HTTP/1.1\r\nHost: localhost\r\n\r\n")
    until(lambda: caplog.records, "the panic is told")


def test_within_the_engine(caplog: pytest.LogCaptureFixture) -> None:
    """The pool's function is called by the engine's own code, with nothing in between."""

    @contextlib.asynccontextmanager
    async def application(reactor: Reactor) -> AsyncIterator[None]:
        reactor.pool(defect, close_old_connections)
        reactor.native(given(api.routes, origin_check()))
        reactor.fallback(lambda request: request.respond(200, [], str(reactor.stats()["in_flight"]).encode()))
        yield

    with ServerThread(application) as server, another(server.url) as client:
        for _ in range(3):
            assert client.get("/pool").status_code == 500
            assert client.get("/fine").text == "none"
        assert client.get("/in-flight").text == "1"
    assert "please report it" in caplog.text
