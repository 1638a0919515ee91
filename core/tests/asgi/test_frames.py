"""WebSockets frame by frame, as far as an ASGI application has to do with it; tests/websocket has the protocol."""

import asyncio
import base64
import struct
import threading

import pytest
from websockets.sync.client import connect

from server import receive, receive_all, serve, until
from test_websocket import accept, echo, only_websocket

HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: " + base64.b64encode(bytes(16)) + b"\r\n\r\n"
)
TEXT, CLOSE, PING = 1, 8, 9


def frame(opcode: int, payload: bytes = b"", *, rsv1: bool = False) -> bytes:
    """A client's frame; a mask of zeros leaves the payload readable."""
    length = len(payload)
    size = bytes([0x80 | length]) if length < 126 else b"\xfe" + struct.pack("!H", length)
    return bytes([0x80 | rsv1 << 6 | opcode]) + size + bytes(4) + payload


def close(code: int) -> bytes:
    return frame(CLOSE, struct.pack("!H", code))


def open_socket(server):
    """A connection after its handshake; closed when the test ends, so that the engine need not linger."""
    connection = server.clients.enter_context(server.raw(HANDSHAKE))
    head = b""
    while not head.endswith(b"\r\n\r\n"):  # frames may follow in the same piece
        head += receive(connection, bool, 1)
    assert head.startswith(b"HTTP/1.1 101 ")
    return connection


def noting(told):
    """An application that notes all it is told, up to the disconnect."""

    @only_websocket
    async def application(scope, receive, send):
        await accept(receive, send)
        while not told or told[-1]["type"] != "websocket.disconnect":
            told.append(await receive())

    return application


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x81\x01a", 1002),  # not masked
        (frame(3), 1002),
        (frame(TEXT, b"x", rsv1=True), 1002),
        (frame(0, b"x"), 1002),
        (frame(PING, bytes(126)), 1002),
        (frame(TEXT, b"\xff"), 1007),
        (close(1005), 1002),
        (close(999), 1002),
    ],
)
def test_broken_frames_close_the_connection_and_the_application_hears_it_once(data, code):
    told = []
    with serve(noting(told)) as server:
        connection = open_socket(server)
        connection.sendall(data)
        assert receive_all(connection)[:4].endswith(struct.pack("!H", code))
        until(lambda: told, "the disconnect")
    assert len(told) == 1


def test_a_peer_that_answers_no_ping_is_dropped():
    told = []

    @only_websocket
    async def application(scope, receive, send):
        await accept(receive, send)
        told.append(await receive())

    with serve(application, ws_ping=0.1, ws_ping_timeout=0.1) as server:
        connection = open_socket(server)
        receive_all(connection)
        until(lambda: told, "the disconnect")
        assert told[0]["type"] == "websocket.disconnect"
        assert told[0]["code"] in (1006, 1011)


@only_websocket
async def closes(scope, receive, send):
    """Closes, and then takes what there is."""
    await accept(receive, send)
    await send({"type": "websocket.close", "code": 4000})
    while (await receive())["type"] != "websocket.disconnect":
        pass


OUR_CLOSE = b"\x88\x02" + struct.pack("!H", 4000)


def test_a_close_of_ours_waits_for_the_peers():
    with serve(closes) as server:
        connection = open_socket(server)
        assert receive(connection, lambda data: len(data) == 4) == OUR_CLOSE
        assert server.stats()["connections"] == 1, "the peer's close has not come yet"
        connection.sendall(frame(TEXT, b"still on its way") + frame(PING, b"?") + close(4000))
        assert set(receive_all(connection)) <= set(b"\x8a\x01?"), "nothing but a pong may follow a close"
        until(lambda: server.stats()["connections"] == 0, "the end")


def test_a_peer_that_leaves_without_a_close_of_its_own():
    with serve(closes) as server:
        connection = open_socket(server)
        receive(connection, lambda data: data == OUR_CLOSE)
        connection.close()
        until(lambda: server.stats()["connections"] == 0, "the end")


def test_a_close_of_ours_with_messages_that_nobody_took():
    go = threading.Event()

    @only_websocket
    async def application(scope, receive, send):
        await accept(receive, send)
        while not go.is_set():
            await asyncio.sleep(0.005)
        await send({"type": "websocket.close", "code": 4000})

    with serve(application) as server:
        connection = open_socket(server)
        connection.sendall(frame(TEXT, b"x" * 1000) * 500)  # more than are kept for a slow reader
        go.set()
        receive(connection, lambda data: data == OUR_CLOSE)
        connection.sendall(close(4000))
        assert receive_all(connection) == b""


def test_the_handshakes_answer_names_no_server():
    with serve(echo) as server, server.raw(HANDSHAKE) as connection:
        head = receive(connection, lambda data: data.endswith(b"\r\n\r\n"))
        assert b"\r\nserver:" not in head.lower()


def test_a_peers_close_is_answered_and_what_follows_ignored():
    told = []
    with serve(noting(told)) as server:
        connection = open_socket(server)
        connection.sendall(frame(TEXT, b"before") + close(3001) + frame(TEXT, b"after"))
        assert receive_all(connection) == b"\x88\x02" + struct.pack("!H", 3001)
        until(lambda: len(told) == 2, "the disconnect")
    assert (told[0]["text"], told[1]["code"]) == ("before", 3001)


def test_a_drain_does_not_wait_for_a_peer_that_never_closes():
    with serve(echo) as server:
        connection = open_socket(server)
        server.call(server.reactor.drain)
        receive(connection, lambda data: data.startswith(b"\x88") and struct.pack("!H", 1012) in data)
        connection.close()
        until(lambda: not server.stats()["connections"], "the end")


def test_a_lost_peer_frees_a_send_that_waits():
    raised = []

    @only_websocket
    async def application(scope, receive, send):
        await accept(receive, send)
        try:
            for _ in range(1000):
                await send({"type": "websocket.send", "bytes": bytes(100_000)})
        except OSError as error:
            raised.append(error)

    with serve(application) as server:
        connection = open_socket(server)
        threading.Event().wait(0.3)  # so that it waits
        connection.close()
        until(lambda: raised, "the error")


def test_an_application_that_returns_a_value_is_no_error():
    async def application(scope, receive, send):
        if scope["type"] == "websocket":
            await accept(receive, send)
        return 123

    with serve(application) as server, connect(server.url()) as client:
        client.close()


@pytest.mark.parametrize("start", [{"status": 404, "headers": [(b"x", b"a\r\nb: c")]}, {"status": 99}, {"status": "x"}])
def test_denial_with_bad_messages(start):
    errors = []

    @only_websocket
    async def application(scope, receive, send):
        await receive()
        try:
            await send({"type": "websocket.http.response.start", **start})
            await send({"type": "websocket.http.response.body", "body": b"no"})
        except Exception as error:
            errors.append(error)
            raise

    with serve(application) as server, server.raw(HANDSHAKE) as connection:
        receive(connection, lambda data: data.startswith(b"HTTP/1.1 500 ") and data.endswith(b"Internal Server Error"))
    assert errors


def test_denial_with_any_bytes_and_no_length():
    body = bytes(range(256))

    @only_websocket
    async def application(scope, receive, send):
        await receive()
        await send({"type": "websocket.http.response.start", "status": 404})
        await asyncio.sleep(0)
        await send({"type": "websocket.http.response.body", "body": body})

    with serve(application) as server, server.raw(HANDSHAKE) as connection:
        head, _, rest = receive(connection, lambda data: data.endswith(body)).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 404 ") and rest == body
        assert b"content-length: 256" in head.lower()
