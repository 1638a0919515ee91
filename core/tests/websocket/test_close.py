"""The closing handshake: each side's code, as it goes over the wire and as handlers see it."""

import signal
import struct

import pytest

from websocket_server import BINARY, CLOSE, PING, TEXT, Client, frame, serve


@pytest.fixture(scope="module")
def server():
    with serve() as server:
        yield server


def code(number: int, reason: str = "") -> bytes:
    return struct.pack("!H", number) + reason.encode()


@pytest.mark.parametrize(
    ("sent", "answer", "seen"),
    [
        (frame(CLOSE), (1000, ""), 1005),
        (frame(CLOSE, code(1000, "bye")), (1000, ""), 1000),
        (frame(CLOSE, code(1001)), (1001, ""), 1001),
        (frame(CLOSE, code(3000, "grüße")), (3000, ""), 3000),
        (frame(CLOSE, code(4999)), (4999, ""), 4999),
    ],
)
def test_a_close_of_the_client_is_answered_with_its_code(server, sent, answer, seen):
    with Client(server) as client:
        client.send(sent + frame(TEXT, b"too late"))
        assert client.closed() == answer
    kind, _, told, _ = server.next()
    assert (kind, told) == ("disconnect", seen)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (frame(TEXT, b"x", mask=b""), 1002),
        (frame(TEXT, b"x", rsv=4), 1002),
        (frame(3, b"x"), 1002),
        (frame(PING, b"x" * 126), 1002),
        (frame(PING, fin=False), 1002),
        (frame(0, b"x"), 1002),
        (frame(TEXT, b"x", fin=False) + frame(TEXT, b"y"), 1002),
        (b"\x81\xfe\x00\x05abcd" + b"x" * 5, 1002),
        (frame(CLOSE, b"x"), 1002),
        (frame(CLOSE, code(1005)), 1002),
        (frame(CLOSE, code(999)), 1002),
        (frame(CLOSE, code(1000) + b"\xff"), 1007),
        (frame(TEXT, b"\xc3\x28"), 1007),
        (frame(TEXT, b"\xf0\x9d", fin=False) + frame(0, b"x"), 1007),
    ],
)
def test_an_error_of_the_client_fails_the_connection(server, sent, expected):
    with Client(server) as client:
        client.send(frame(BINARY, b"before") + sent)
        assert client.read() == (0x80 | BINARY, b"before")
        assert client.closed()[0] == expected
    kind, _, told, _ = server.next()
    assert (kind, told) == ("disconnect", expected)


@pytest.mark.parametrize("number", [1000, 1001, 1008, 1011, 3456, 4000])
def test_a_close_of_the_handler(server, number):
    with Client(server, f"/close/{number}") as client:
        first, payload = client.read()
        assert (first, payload) == (0x80 | CLOSE, code(number, "as you wish"))
        client.send(frame(CLOSE, payload))
        client.ended()
    told = [server.next(), server.next()]
    assert sorted(words[0] for words in told) == ["disconnect", "received"]
    assert all(number in words for words in told)


@pytest.mark.parametrize("path", ["/echo", "/early"])
def test_a_lost_connection_is_1006(server, path):
    with Client(server, path) as client:
        client.send(frame(TEXT, b"half")[:-2])
    assert server.next() == ["disconnect", path, 1006, ""]


def test_a_restart_is_1012_and_each_end_is_told_once():
    with serve() as server, Client(server) as one, Client(server, "/deaf") as two:
        one.send(frame(TEXT, b"here"))
        assert one.read() == (0x80 | TEXT, b"here")
        server.process.send_signal(signal.SIGTERM)
        for client in (one, two):
            first, payload = client.read()
            assert (first, payload[:2]) == (0x80 | CLOSE, code(1012))
            client.send(frame(CLOSE, payload))
            client.ended()
        told = server.rest()
    assert sorted(words[:3] for words in told) == [["disconnect", "/deaf", 1012], ["disconnect", "/echo", 1012]]


def test_pings_are_answered_in_the_middle_of_a_message(server):
    with Client(server) as client:
        client.send(frame(TEXT, b"a", fin=False) + frame(PING, b"still there?") + frame(0, b"b"))
        assert client.read() == (0x8A, b"still there?")
        assert client.read() == (0x81, b"ab")
    assert server.next()[2] == 1006
