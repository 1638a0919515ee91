"""Independent clients, with and without permessage-deflate."""

import random
import socket

import pytest
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.sync.client import connect
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Request, TextMessage
from wsproto.extensions import PerMessageDeflate

from websocket_server import DEADLINE, serve

NOISE = random.Random(1).randbytes(100_000)
MESSAGES = [
    "",
    "hello",
    "grüße 𝄞 " * 100,
    '{"id": 1, "text": "abc"}' * 20_000,
    b"",
    b"\0" * 1_000_000,
    NOISE,
    NOISE[:600],
    "end",
]


@pytest.fixture(scope="module")
def server():
    with serve() as server:
        yield server


@pytest.mark.parametrize(
    "parameters",
    [
        None,
        {},
        {"server_no_context_takeover": True},
        {"client_no_context_takeover": True, "client_max_window_bits": 9},
        *({"server_max_window_bits": bits} for bits in range(8, 16)),
    ],
)
def test_websockets(server, parameters):
    extensions = [] if parameters is None else [ClientPerMessageDeflateFactory(**parameters)]
    with connect(server.url(), extensions=extensions, compression=None, max_size=None) as client:
        assert len(client.protocol.extensions) == len(extensions)
        for _ in range(2):
            for message in MESSAGES:
                client.send(message)
                assert client.recv(DEADLINE) == message
        client.send(iter(["a", "b", "", "c"] * 500))
        assert client.recv(DEADLINE) == "abc" * 500


def read(raw: socket.socket, client: WSConnection, kind: type) -> str | bytes:
    """The next whole message."""
    parts = []
    while True:
        for event in client.events():
            assert isinstance(event, kind), event
            parts.append(event.data)
            if event.message_finished:
                return ("" if kind is TextMessage else b"").join(parts)
        client.receive_data(raw.recv(65536))


@pytest.mark.parametrize("deflate", [False, True])
def test_wsproto(server, deflate):
    client = WSConnection(ConnectionType.CLIENT)
    with socket.create_connection(("127.0.0.1", server.port), DEADLINE) as raw:
        extensions = [PerMessageDeflate()] if deflate else []
        raw.sendall(client.send(Request(host="127.0.0.1", target="/echo", extensions=extensions)))
        client.receive_data(raw.recv(65536))
        (accepted,) = client.events()
        assert isinstance(accepted, AcceptConnection)
        assert len(accepted.extensions) == deflate
        for message in MESSAGES:
            kind = TextMessage if isinstance(message, str) else BytesMessage
            raw.sendall(client.send(kind(data=message)))
            assert read(raw, client, kind) == message
        raw.sendall(client.send(CloseConnection(code=1000, reason="done")))
        while not isinstance(event := next(iter(client.events()), None), CloseConnection):
            assert event is None
            client.receive_data(raw.recv(65536) or None)
        assert event.code == 1000
