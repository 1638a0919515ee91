"""A client that has gone costs nothing while its handler works on."""

import socket
import time
from pathlib import Path

import pytest

from django_rivet._core import Request
from django_rivet.server.thread import ServerThread
from raw_client import connect
from waiting import until


async def used() -> float:
    """Seconds of CPU of the thread of the loop."""
    return time.thread_time()


@pytest.mark.parametrize("how", ["tcp", "unix"])
def test_the_loop_sleeps(how: str, tmp_path: Path) -> None:
    """epoll tells of both ends shut, or of a reset, as long as the connection is watched."""
    held: list[Request] = []
    uds = str(tmp_path / "socket") if how == "unix" else ""
    with ServerThread(lambda reactor: reactor.fallback(held.append), uds=uds) as server:
        with connect(uds or (server.host, server.port)) as client:
            client.send("GET", "/")
            until(lambda: held, "the request")
            if how == "tcp":
                client.socket.shutdown(socket.SHUT_WR)
                until(lambda: held[0].disconnected, "its client has gone")
                client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        until(lambda: held[0].disconnected, "its client has gone")
        before = server.call(used())
        time.sleep(1)  # of which it may use next to nothing
        assert server.call(used()) - before < 0.3
        held.pop().respond(200, [], b"nobody reads this")
