"""A WebSocket of a test. The protocol is the package websockets': https://websockets.readthedocs.io/"""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from http.client import HTTPMessage
from socket import create_connection
from typing import TYPE_CHECKING, Any

from django_rivet._core import Disconnected
from django_rivet.hatch.websocket import disconnected
from django_rivet.testing.base import BaseClient, Prepared
from django_rivet.testing.response import Response

if TYPE_CHECKING:
    from websockets.exceptions import ConnectionClosed, InvalidStatus
    from websockets.sync.client import ClientConnection

OWN_FIELDS = ("host",)  # that the handshake has already


class Denied(Exception):
    """The server answered the handshake with `response` instead of taking it."""

    def __init__(self, response: Response) -> None:
        super().__init__(f"the WebSocket was denied: {response.status_code} {response.reason}")
        self.response = response


class Socket:
    """The client's end."""

    def __init__(self, client: BaseClient, connection: ClientConnection) -> None:
        self._client = client
        self._connection = connection
        self.subprotocol = connection.subprotocol

    def send(self, data: str | bytes) -> None:
        """Sends a message. Raises Disconnected when the connection has ended."""
        from websockets.exceptions import ConnectionClosed

        try:
            self._connection.send(data)
        except ConnectionClosed as error:
            raise ended(self._client, error) from None

    def receive(self, timeout: float | None = None) -> str | bytes:
        """The next message. Raises Disconnected, with code and reason, when the connection has ended; TimeoutError when
        none comes in `timeout` seconds (default: the client's)."""
        from websockets.exceptions import ConnectionClosed

        try:
            return self._connection.recv(self._client.timeout if timeout is None else timeout)
        except ConnectionClosed as error:
            raise ended(self._client, error) from None

    def send_json(self, value: Any) -> None:
        """Sends a value as JSON text."""
        self.send(json.dumps(value))

    def receive_json(self, timeout: float | None = None) -> Any:
        """The next message, read as JSON."""
        return json.loads(self.receive(timeout))

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Closes, and waits for the server's close frame."""
        self._connection.close(code, reason)


def ended(client: BaseClient, error: ConnectionClosed) -> Disconnected:
    """What the end of a connection raises; first what the handler raised, if that was the end."""
    code, reason = (error.rcvd.code, error.rcvd.reason) if error.rcvd else (1006, "")
    if code == 1011 and client.raise_exceptions:
        client._running.failures.throw()
    return disconnected(code, reason)


def denied(client: BaseClient, error: InvalidStatus) -> Denied:
    """What a handshake that was not taken raises; first what the handler raised."""
    got = error.response
    client._failed(got.status_code)
    headers = HTTPMessage()
    for name, value in got.headers.raw_items():
        headers[name] = value
    return Denied(Response(got.status_code, got.reason_phrase, headers, bytes(got.body or b"")))


def arguments(client: BaseClient, request: Prepared, subprotocols: Sequence[str], origin: str | None) -> dict[str, Any]:
    """For both of the package's `connect` functions. Raises ImportError when the package is missing."""
    try:
        import websockets  # noqa: F401
    except ImportError:
        raise ImportError(
            "client.websocket() needs the package websockets: pip install 'django-rivet[testing]'"
        ) from None
    return {
        "uri": f"ws://{request.headers['host']}{request.target}",
        "sock": create_connection(client._running.address, client.timeout),
        "origin": origin,
        "subprotocols": list(subprotocols) or None,
        "additional_headers": {name: value for name, value in request.headers.items() if name not in OWN_FIELDS},
        "open_timeout": client.timeout,
        "close_timeout": client.timeout,
        "max_size": None,
        "proxy": None,
    }


@contextmanager
def connected(
    client: BaseClient, request: Prepared, subprotocols: Sequence[str], origin: str | None
) -> Generator[Socket]:
    """Opens a WebSocket for as long as the block lasts."""
    given = arguments(client, request, subprotocols, origin)
    from websockets.exceptions import InvalidStatus
    from websockets.sync.client import connect

    with ExitStack() as stack:
        try:
            connection = stack.enter_context(connect(**given))
        except InvalidStatus as error:
            raise denied(client, error) from None
        yield Socket(client, connection)
