"""What an application sees of clients behind proxies. src/proxy has the rules case by case."""

import pytest
from websockets.sync.client import connect

from server import receive, serve
from test_websocket import accept


def told(headers: list[tuple[str, str]], trusted: str, websocket: bool) -> tuple[str, object]:
    """The scheme and the client's address that an application is told."""
    seen = []

    async def application(scope, receive, send):
        if scope["type"] == "lifespan":
            return
        seen.append((scope["scheme"], tuple(scope["client"])))
        if websocket:
            await accept(receive, send)
            await receive()
        else:
            await send({"type": "http.response.start", "status": 200})
            await send({"type": "http.response.body"})

    with serve(application, trusted_proxies=trusted) as server:
        if websocket:
            with connect(server.url(), additional_headers=headers) as client:
                local = client.local_address
        else:
            fields = "".join(f"{name}: {value}\r\n" for name, value in headers)
            with server.raw(f"GET / HTTP/1.1\r\nHost: x\r\n{fields}\r\n".encode()) as connection:
                receive(connection, lambda data: b"200 OK" in data)
                local = connection.getsockname()
    scheme, client = seen[0]
    return scheme, "peer" if client == local else client


@pytest.mark.parametrize("websocket", [False, True])
@pytest.mark.parametrize(
    ("headers", "trusted", "secure", "client"),
    [
        ([], "127.0.0.1", False, "peer"),
        ([("X-Forwarded-For", "192.0.2.1"), ("X-Forwarded-Proto", "https")], "127.0.0.1", True, ("192.0.2.1", 0)),
        ([("X-Forwarded-For", "192.0.2.1"), ("X-Forwarded-Proto", "https")], "", False, "peer"),
        ([("X-Forwarded-For", "192.0.2.1"), ("X-Forwarded-Proto", "https")], "10.0.0.0/8", False, "peer"),
        ([("X-Forwarded-For", "192.0.2.1")], "*", False, ("192.0.2.1", 0)),
        ([("X-Forwarded-For", "6.6.6.6, 192.0.2.1, 10.0.0.1")], "127.0.0.1,10.0.0.0/8", False, ("192.0.2.1", 0)),
        ([("X-Forwarded-For", "6.6.6.6"), ("X-Forwarded-For", "192.0.2.1")], "127.0.0.1", False, ("192.0.2.1", 0)),
        ([("X-Forwarded-For", "192.0.2.1:4711")], "127.0.0.1", False, ("192.0.2.1", 0)),
        ([("X-Forwarded-For", "[2001:db8::1]:4711")], "127.0.0.1", False, ("2001:db8::1", 0)),
        ([("X-Forwarded-For", "2001:db8::1")], "127.0.0.1", False, ("2001:db8::1", 0)),
        ([("X-Forwarded-For", "")], "127.0.0.1", False, "peer"),
        ([("X-Forwarded-For", "unknown")], "127.0.0.1", False, "peer"),
        ([("X-Forwarded-For", "192.0.2.1:port")], "127.0.0.1", False, "peer"),
        ([("X-Forwarded-Proto", "https"), ("X-Forwarded-Proto", "http")], "127.0.0.1", False, "peer"),
        ([("X-Forwarded-Proto", "gopher")], "127.0.0.1", False, "peer"),
        ([("X-Forwarded-Proto", "wss")], "127.0.0.1", True, "peer"),
        ([("X-Forwarded-Host", "evil.test"), ("X-Forwarded-Port", "1")], "127.0.0.1", False, "peer"),
    ],
)
def test_clients_behind_proxies(headers, trusted, secure, client, websocket):
    scheme = ("ws" if websocket else "http") + "s" * secure
    assert told(headers, trusted, websocket) == (scheme, client)
