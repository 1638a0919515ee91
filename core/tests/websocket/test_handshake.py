"""The opening handshake over the wire."""

import socket

import pytest

from websocket_server import DEADLINE, KEY, Client, request, serve


@pytest.fixture(scope="module")
def server():
    with serve() as server:
        yield server


def test_the_answer_is_what_the_rfc_says(server):
    with Client(server) as client:
        lines = client.head.split("\r\n")
    assert lines[0] == "HTTP/1.1 101 Switching Protocols"
    fields = dict(line.split(": ", 1) for line in lines[1:] if line)
    # RFC 6455 section 1.3 has the same key.
    assert fields == {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Accept": "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
    }


def test_frames_right_behind_the_handshake_are_read(server):
    with socket.create_connection(("127.0.0.1", server.port), DEADLINE) as raw:
        raw.sendall(request("/echo") + b"\x81\x82\0\0\0\0hi")
        data = b""
        while not data.endswith(b"\x81\x02hi"):
            part = raw.recv(4096)
            assert part, data
            data += part


def test_subprotocols_are_offered_and_taken(server):
    with Client(server, "/protocols", "Sec-WebSocket-Protocol: a, b\r\nSec-WebSocket-Protocol: c\r\n") as client:
        assert "\r\nSec-WebSocket-Protocol: c\r\n" in client.head
        assert "\r\nX-Offered: a b c\r\n" in client.head


def refused(server, data: bytes) -> tuple[int, str]:
    with socket.create_connection(("127.0.0.1", server.port), DEADLINE) as raw:
        raw.sendall(data)
        raw.settimeout(DEADLINE)
        head = b""
        while b"\r\n\r\n" not in head:
            part = raw.recv(4096)
            assert part, head
            head += part
    return int(head.split()[1]), head.decode()


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        ("Version: 13", "Version: 12", 426),
        ("Sec-WebSocket-Version: 13\r\n", "", 426),
        ("Version: 13", "Version: 13\r\nSec-WebSocket-Version: 13", 400),
        (f"Sec-WebSocket-Key: {KEY}\r\n", "", 400),
        (KEY, KEY[:-4], 400),
        (KEY, f"{KEY}\r\nSec-WebSocket-Key: {KEY}", 400),
        ("\r\n\r\n", "\r\nSec-WebSocket-Protocol: a b\r\n\r\n", 400),
        ("\r\n\r\n", "\r\nSec-WebSocket-Extensions: a;;\r\n\r\n", 400),
    ],
)
def test_a_bad_handshake_is_refused(server, old, new, status):
    data = request("/echo").decode()
    assert old in data
    got, head = refused(server, data.replace(old, new).encode())
    assert got == status
    # RFC 6455 section 4.4: what is spoken here.
    assert ("\r\nsec-websocket-version: 13\r\n" in head.lower()) == (status == 426)
    # RFC 9110 section 15.5.22, and 7.8.
    assert ("\r\nUpgrade: websocket\r\nConnection: close, Upgrade\r\n" in head) == (status == 426)


def test_who_asks_for_no_websocket_hears_what_to_ask_for(server):
    with socket.create_connection(("127.0.0.1", server.port), DEADLINE) as raw:
        raw.sendall(b"GET /echo HTTP/1.1\r\nHost: a\r\n\r\n" + request("/echo"))
        got = b""
        while b"HTTP/1.1 101 " not in got:
            part = raw.recv(4096)
            assert part, got
            got += part
    assert got.startswith(b"HTTP/1.1 426 Upgrade Required\r\n")
    assert b"\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" in got
    assert b"Content-Type: application/problem+json" in got


@pytest.mark.parametrize(
    ("offer", "answer"),
    [
        ("permessage-deflate", ""),
        ("permessage-deflate; client_max_window_bits", ""),
        ("permessage-deflate; server_max_window_bits=10", "; server_max_window_bits=10"),
        ("x-unknown, permessage-deflate; unknown, permessage-deflate; server_no_context_takeover", ""),
        ("permessage-deflate; server_max_window_bits=16", None),
        ("x-webkit-deflate-frame", None),
    ],
)
def test_deflate_is_negotiated(server, offer, answer):
    with Client(server, fields=f"Sec-WebSocket-Extensions: {offer}\r\n") as client:
        found = [line for line in client.head.split("\r\n") if line.startswith("Sec-WebSocket-Extensions: ")]
    base = "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover"
    assert found == ([] if answer is None else [base + answer])


def test_deflate_can_be_turned_off():
    offer = "Sec-WebSocket-Extensions: permessage-deflate\r\n"
    with serve(ws_deflate=False) as server, Client(server, fields=offer) as client:
        assert "permessage-deflate" not in client.head
