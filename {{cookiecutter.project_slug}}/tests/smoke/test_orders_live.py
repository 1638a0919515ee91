"""WebSocket through nginx, and the channel layer between the replicas."""

import json
import secrets
import time
from contextlib import ExitStack

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

import stack
from sockets import Socket, hear
from visitor import Visitor

FEED = "/ws/orders/"


def echo(socket: Socket) -> None:
    data = secrets.token_hex(8)
    socket.send(json.dumps({"type": "echo", "data": data}))
    hear(socket, "echo", lambda message: message["data"] == data)


def test_echo(member: Visitor) -> None:
    with member.socket(FEED) as socket:
        hear(socket, "welcome")
        echo(socket)


def test_broadcast_reaches_every_replica(member: Visitor) -> None:
    """Two people, served by two replicas, see the same order."""
    with ExitStack() as opened:
        sockets: dict[str, Socket] = {}
        for _ in range(30):
            socket = opened.enter_context(member.socket(FEED))
            sockets[hear(socket, "welcome")["replica"]] = socket
            if len(sockets) == 2:
                break
        assert len(sockets) == 2, f"only {set(sockets)} answers"
        title = f"Seen by all {secrets.token_hex(4)}"
        assert member.post_json("/api/orders/", {"title": title, "quantity": 1}).status_code == 201
        for socket in sockets.values():
            hear(socket, "order", lambda message: message["order"]["title"] == title)


def test_idle_socket_lives(member: Visitor) -> None:
    """Longer than the timeouts of a Redis connection."""
    with member.socket(FEED) as socket:
        hear(socket, "welcome")
        end = time.monotonic() + 12
        while (left := end - time.monotonic()) > 0:
            try:
                socket.recv(timeout=left)
            except TimeoutError:
                break
        echo(socket)


@pytest.mark.fault
def test_the_first_visitor_after_a_restart_of_the_queue(member: Visitor) -> None:
    """Where nobody listened meanwhile, the connection to Redis is found dead."""

    def welcomed() -> set[str]:
        answers = set()
        for _ in range(9):
            with member.socket(FEED) as socket:
                answers.add(hear(socket, "welcome")["replica"])
        return answers

    assert len(welcomed()) > 1
    stack.compose("restart", "redis-queue")
    stack.wait_until("all is healthy again", lambda: not stack.ailing(), 90)
    welcomed()


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "null", None])
def test_foreign_origin_is_refused(member: Visitor, origin: str | None) -> None:
    with pytest.raises(InvalidStatus) as refused, member.socket(FEED, origin=origin):
        pass
    assert refused.value.response.status_code == 403


def test_strangers_are_refused(stranger: Visitor) -> None:
    with pytest.raises((InvalidStatus, ConnectionClosed)), stranger.socket(FEED) as socket:
        hear(socket, "welcome")


def test_unknown_host_is_refused(member: Visitor) -> None:
    headers = {"Cookie": member.cookie, "Host": "elsewhere.example"}
    with pytest.raises(InvalidStatus) as refused, member.socket(FEED, additional_headers=headers):
        pass
    assert 400 <= refused.value.response.status_code < 500


@pytest.mark.parametrize("message", ["{", "[]", '{"type": "unknown"}', "\x00"])
def test_nonsense_does_no_harm(member: Visitor, message: str) -> None:
    with member.socket(FEED) as socket:
        hear(socket, "welcome")
        socket.send(message)
        echo(socket)


def test_page_without_upgrade(member: Visitor) -> None:
    assert 400 <= member.get(FEED).status_code < 500
