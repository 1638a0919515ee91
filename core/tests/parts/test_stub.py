"""What `_core.pyi` promises of Request and WebSocket, where the other tests do not look."""

import threading

import pytest
from websockets.sync.client import connect as connect_websocket

from django_rivet import Request, WebSocket
from django_rivet.server.thread import ServerThread
from raw_client import connect

DEADLINE = 20


def test_a_field_that_comes_more_than_once_is_one_value() -> None:
    def handler(request: Request) -> None:
        values = [request.header(name) for name in ("X-One", "x-none", "Cookie")]
        request.respond(200, [], repr(values).encode())

    fields = [("X-One", "1"), ("x-one", "2"), ("Cookie", "a=1"), ("cookie", "b=2")]
    with (
        ServerThread(lambda reactor: reactor.fallback(handler)) as server,
        connect((server.host, server.port)) as client,
    ):
        assert client.get("/", *fields).body == b"['1,2', None, 'a=1; b=2']"


@pytest.mark.parametrize("length", [10, 100_000])
def test_each_file_of_a_body_is_at_its_start(length: int) -> None:
    """In memory and in a temporary file."""

    def handler(request: Request) -> None:
        with request.file as first:
            begin = first.read(3)
            with request.file as second:
                again = second.read()
        request.respond(200, [], begin + again)

    body = b"x" * (length - 1) + b"y"
    with (
        ServerThread(lambda reactor: reactor.fallback(handler), spool=65536) as server,
        connect((server.host, server.port)) as client,
    ):
        fields = [("Content-Length", str(length))]
        assert client.ask("POST", "/", fields, body).body == b"xxx" + body


def test_a_close_code_is_known_when_the_end_is() -> None:
    codes: list[int] = []
    ended = threading.Event()

    async def handler(socket: WebSocket) -> None:
        def gone(code: int, reason: str) -> None:
            codes.append(socket.close_code)
            ended.set()

        socket.on_disconnect(gone)
        codes.append(socket.close_code)
        socket.accept()
        codes.append(socket.close_code)
        await socket.receive()

    with ServerThread(lambda reactor: reactor.native([("WEBSOCKET", "/", handler, "async")])) as server:
        with connect_websocket(f"ws://{server.host}:{server.port}/") as client:
            client.close(4001)
        assert ended.wait(DEADLINE)
    assert codes == [0, 0, 4001]
