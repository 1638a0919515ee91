"""Connections beyond the bound, and one that asks while a handler ends the server."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from django_rivet._core import Reactor
from django_rivet.server.thread import ServerThread
from serving import DEADLINE, until

HOST = b"Host: localhost\r\n\r\n"
RESERVE = 32  # src/engine/reserve.rs


@contextlib.contextmanager
def connected(server: ServerThread) -> Iterator[socket.socket]:
    with socket.create_connection((server.host, server.port), DEADLINE) as client:
        yield client


def answer(client: socket.socket) -> bytes:
    """All until the server ends the connection."""
    return b"".join(iter(lambda: client.recv(65_536), b""))


def ask(server: ServerThread, line: bytes = b"GET /health/live HTTP/1.1\r\n") -> bytes:
    with connected(server) as client:
        client.sendall(line + HOST)
        return answer(client)


@pytest.fixture(name="full")
def full_server() -> Iterator[ServerThread]:
    """A server that has as many connections as it may have."""

    def setup(reactor: Reactor) -> None:
        reactor.native([("GET", "/native", lambda: "hello", "inline")])
        reactor.fallback(lambda request: request.respond(200, [], b"hello"))

    # Who connects first is accepted first.
    with ServerThread(setup, max_connections=2) as server, connected(server), connected(server):
        yield server


def test_health_is_answered_and_nothing_else(full: ServerThread) -> None:
    for _ in range(RESERVE * 3):
        well = ask(full)
        assert well.startswith(b"HTTP/1.1 200 OK\r\n") and well.endswith(b"\r\n\r\nok\n")
        assert b"\r\nConnection: close\r\n" in well
    assert b"\r\n\r\n" in ask(full, b"HEAD /health/live HTTP/1.1\r\n")
    for path, kind in ((b"/", b"text/plain"), (b"/native", b"application/problem+json"), (b"/health", b"text/plain")):
        busy = ask(full, b"GET " + path + b" HTTP/1.1\r\n")
        assert busy.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
        assert b"\r\nRetry-After: 1\r\n" in busy and b"\r\nConnection: close\r\n" in busy
        assert b"\r\nContent-Type: " + kind in busy


def test_who_says_nothing_holds_up_a_health_check_for_a_moment_only(full: ServerThread) -> None:
    with contextlib.ExitStack() as stack:
        began = time.monotonic()
        silent = [stack.enter_context(connected(full)) for _ in range(RESERVE)]
        silent[0].sendall(b"GET /health/live HTTP/1.1\r\n")
        assert ask(full).startswith(b"HTTP/1.1 503 "), "there is no end to them"
        until(lambda: ask(full).startswith(b"HTTP/1.1 200 "), "their time is over")
        assert time.monotonic() - began < DEADLINE / 2
        for client in silent:
            assert answer(client).startswith(b"HTTP/1.1 503 Service Unavailable\r\n")


def test_room_that_is_free_again_is_there_for_all() -> None:
    def setup(reactor: Reactor) -> None:
        reactor.fallback(lambda request: request.respond(200, [], b"hello"))

    with ServerThread(setup, max_connections=1) as server:
        with connected(server):
            assert ask(server, b"GET / HTTP/1.1\r\n").startswith(b"HTTP/1.1 503 ")
        until(lambda: ask(server, b"GET / HTTP/1.0\r\n").startswith(b"HTTP/1.1 200 "), "room")


def test_who_has_asked_is_answered_though_a_handler_ends_the_server() -> None:
    """What the kernel has of a request is read first, while the engine's buffer for that is in use."""
    began, asked = threading.Event(), threading.Event()

    def setup(reactor: Reactor) -> None:
        def end() -> str:
            began.set()
            asked.wait(DEADLINE)
            reactor.drain()
            return "ended"

        reactor.native([("GET", "/end", end, "inline"), ("GET", "/native", lambda: "hello", "inline")])

    with ServerThread(setup) as server, connected(server) as idle, connected(server) as other:
        idle.sendall(b"GET /native HTTP/1.1\r\n" + HOST)
        assert idle.recv(65_536).endswith(b"hello")
        other.sendall(b"GET /end HTTP/1.1\r\n" + HOST)
        assert began.wait(DEADLINE)
        idle.sendall(b"GET /native HTTP/1.1\r\n" + HOST)
        asked.set()
        assert answer(other).endswith(b"ended")
        assert answer(idle).endswith(b"hello")
