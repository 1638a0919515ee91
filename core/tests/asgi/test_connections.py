"""How connections live: reuse, limits, broken requests, the end of the server."""

import asyncio
import threading
import time

import pytest

from django_rivet.asgi import AsgiHandler
from server import DEADLINE, get, receive, receive_all, serve, until
from test_http import answer, only_http

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


def statuses(data: bytes) -> list[int]:
    """Of answers whose bodies hold no status line."""
    return [int(part[:3]) for part in data.split(b"HTTP/1.1 ")[1:]]


def held(seen, release):
    """An application that says that it has a request, and answers when it may."""

    async def application(scope, receive, send):
        seen.append(scope["path"])
        while not release.is_set():
            await asyncio.sleep(0.005)
        await answer()(scope, receive, send)

    return only_http(application)


def test_an_idle_connection_is_closed():
    with serve(only_http(answer()), keep_alive=0.2) as server, server.raw(GET) as connection:
        begin = time.monotonic()
        assert receive_all(connection).endswith(b"hello")
        assert 0.1 < time.monotonic() - begin < 5


def test_a_connection_that_is_used_is_not_idle():
    seen, release = [], threading.Event()
    with serve(held(seen, release), keep_alive=0.2) as server, server.raw(GET * 3) as connection:
        until(lambda: seen, "the first request")
        time.sleep(0.5)  # longer than an idle one is kept
        release.set()
        receive(connection, lambda data: statuses(data) == [200] * 3)


def test_a_request_byte_by_byte():
    async def application(scope, receive, send):
        body = b""
        while len(body) < 5:
            body += (await receive())["body"]
        await answer(body=scope["path"].encode() + body)(scope, receive, send)

    with serve(only_http(application)) as server, server.raw() as connection:
        for byte in b"POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabcde":
            connection.sendall(bytes([byte]))
            time.sleep(0.001)
        receive(connection, lambda data: data.endswith(b"/slowabcde"))


@pytest.mark.parametrize(
    "request_",
    [
        b"x\0y\r\n\r\n",
        b"GET / HTTP/9\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nBad Name: 1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nBad\xe9: 1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nA: b\x0bc\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nA: b\x0cX: c\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nA: b\nX: c\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
)
def test_a_broken_request_is_400_and_the_connection_closed(request_):
    with serve(only_http(answer())) as server, server.raw(request_) as connection:
        assert receive_all(connection).startswith(b"HTTP/1.1 400 ")


def test_a_next_line_byte_in_a_value_splits_nothing():
    """daphne CVE-2026-44546: 0x85 is a character of a value, no line end."""
    seen = []

    async def application(scope, receive, send):
        seen.extend(scope["headers"])
        await answer()(scope, receive, send)

    request = b"GET / HTTP/1.1\r\nHost: x\r\nA: b\x85X-Injected: c\r\n\r\n"
    with serve(only_http(application)) as server, server.raw(request) as connection:
        receive(connection, lambda data: statuses(data) == [200])
    assert (b"a", b"b\x85X-Injected: c") in [tuple(pair) for pair in seen]


@pytest.mark.parametrize(
    ("head", "limits", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 8000 + b"\r\n\r\n", {}, 200),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 9000 + b"\r\n\r\n", {}, 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\n" + (b"A: " + b"a" * 5000 + b"\r\n") * 12 + b"\r\n", {}, 200),
        (b"GET / HTTP/1.1\r\nHost: x\r\n" + (b"A: " + b"a" * 5000 + b"\r\n") * 14 + b"\r\n", {}, 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 5000 + b"\r\n\r\n", {"max_head": 4096}, 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 101 + b"\r\n", {}, 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 99 + b"\r\n", {}, 200),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", {}, 414),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n", {"max_body": 1000}, 413),
    ],
)
def test_what_is_too_large_is_refused(head, limits, status):
    with serve(only_http(answer()), **limits) as server, server.raw(head) as connection:
        receive(connection, lambda data: statuses(data) == [status])


def test_a_head_that_never_ends_is_refused_when_it_is_too_large():
    with (
        serve(only_http(answer()), max_head=4096) as server,
        server.raw(b"GET / HTTP/1.1\r\nHost: x\r\n") as connection,
    ):
        connection.sendall(b"A: b\r\n" * 1000)
        receive(connection, lambda data: statuses(data) == [431])


def test_a_chunked_body_that_is_too_large_ends_for_the_application():
    ended = []

    async def application(scope, receive, send):
        while (message := await receive())["type"] == "http.request":
            assert message["more_body"]
        ended.append(True)

    head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    with serve(only_http(application), max_body=1000) as server, server.raw(head) as connection:
        connection.sendall(b"64\r\n" + bytes(100) + b"\r\n")
        connection.sendall((b"64\r\n" + bytes(100) + b"\r\n") * 20)
        until(lambda: ended, "the end")
        assert statuses(receive_all(connection)) in ([413], [])


def test_more_requests_than_allowed_get_503():
    seen, release = [], threading.Event()
    with serve(held(seen, release), max_in_flight=2) as server:
        first, second = server.raw(GET), server.raw(GET)
        until(lambda: len(seen) == 2, "two requests")
        response, _ = get(server)
        assert response.status == 503
        assert int(response.headers["retry-after"]) > 0
        release.set()
        for connection in (first, second):
            receive(connection, lambda data: statuses(data) == [200])
        assert get(server)[0].status == 200


def test_a_connection_too_many_can_read_why():
    """What it has asked is not left unread, or the kernel would follow the answer with a reset."""
    seen, release = [], threading.Event()

    async def application(scope, receive, send):
        seen.append(scope["path"])
        release.wait(DEADLINE)  # nothing is accepted until then
        await answer()(scope, receive, send)

    with serve(only_http(application), max_connections=1) as server, server.raw(GET) as first:
        until(lambda: seen, "the first request")
        with server.raw(GET) as second:
            release.set()
            said = b"".join(iter(lambda: second.recv(65_536), b""))
        assert statuses(said) == [503]
        assert b"\r\nRetry-After: 1\r\n" in said
        receive(first, lambda data: statuses(data) == [200])


def streamed(content_length=None):
    async def application(scope, receive, send):
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"hel", "more_body": True})
        await send({"type": "http.response.body", "body": b"lo"})

    return only_http(application)


@pytest.mark.parametrize("application", [only_http(answer()), streamed()])
def test_an_http_1_0_client_gets_no_chunks_and_a_closed_connection(application):
    with serve(application) as server, server.raw(b"GET / HTTP/1.0\r\n\r\n") as connection:
        data = receive_all(connection)
        assert b"transfer-encoding" not in data.lower()
        assert data.endswith(b"\r\n\r\nhello")


def test_an_http_1_0_client_may_keep_its_connection():
    request = b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
    with serve(only_http(answer())) as server, server.raw(request) as connection:
        data = receive(connection, lambda data: data.endswith(b"hello"))
        assert b"connection: keep-alive" in data.lower()
        connection.sendall(request)
        receive(connection, lambda data: data.endswith(b"hello"))


@pytest.mark.parametrize("first", [b"", b"Content-Length: 3\r\n"])
def test_nothing_is_answered_after_connection_close(first):
    request = (
        b"POST / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Close\r\n" + first + b"\r\n" + b"abc" * bool(first)
    )
    with serve(only_http(answer())) as server, server.raw(request + GET) as connection:
        assert statuses(receive_all(connection)) == [200]


@pytest.mark.parametrize("upgrade", [b"h2c", b"TLS/1.0", b"anything"])
def test_other_upgrades_are_ignored(upgrade):
    request = GET[:-2] + b"Upgrade: " + upgrade + b"\r\nConnection: Upgrade, HTTP2-Settings\r\n\r\n"
    with serve(only_http(answer())) as server, server.raw(request) as connection:
        receive(connection, lambda data: statuses(data) == [200] and data.endswith(b"hello"))
        connection.sendall(GET)
        receive(connection, lambda data: statuses(data) == [200])


HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


def test_a_handshake_may_follow_a_request():
    async def application(scope, receive, send):
        if scope["type"] == "http":
            await answer()(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.send", "text": "opened"})

    with serve(application) as server, server.raw(GET + HANDSHAKE) as connection:
        data = receive(connection, lambda data: b"\x81\x06opened" in data)
        assert data.index(b"hello") < data.index(b"HTTP/1.1 101 ")


def test_a_handshake_where_nobody_takes_websockets_is_a_request():
    handler = AsgiHandler(only_http(answer()))

    def setup(reactor):
        reactor.fallback(handler.http, stream_body=True)

    with serve(setup=setup) as server, server.raw(HANDSHAKE) as connection:
        receive(connection, lambda data: statuses(data) == [200] and data.endswith(b"hello"))
        connection.sendall(GET)
        receive(connection, lambda data: statuses(data) == [200] and data.endswith(b"hello"))


def test_a_value_that_the_application_returns_is_no_error():
    async def application(scope, receive, send):
        await answer()(scope, receive, send)
        return 123

    with serve(only_http(application)) as server:
        assert get(server)[1] == b"hello"


def test_framing_headers_of_the_application_are_dropped():
    headers = [(b"Transfer-Encoding", b"chunked"), (b"Connection", b"upgrade"), (b"Keep-Alive", b"timeout=1000")]
    with serve(only_http(answer(headers=headers))) as server:
        connection = server.http()
        for _ in range(2):
            connection.request("GET", "/")
            response = connection.getresponse()
            assert response.read() == b"hello"
            assert response.headers["content-length"] == "5"
            assert response.headers["transfer-encoding"] is None
            assert "upgrade" not in response.headers.get("connection", "")


def test_date_is_ours_unless_given_and_server_is_what_the_application_says():
    with serve(only_http(answer())) as server:
        headers = get(server)[0].headers
        assert len(headers.get_all("date")) == 1 and headers["date"].endswith(" GMT")
        assert headers["server"] is None
    given = [(b"date", b"Sun, 06 Nov 1994 08:49:37 GMT"), (b"server", b"a"), (b"server", b"b")]
    with serve(only_http(answer(headers=given))) as server:
        headers = get(server)[0].headers
        assert headers.get_all("date") == ["Sun, 06 Nov 1994 08:49:37 GMT"]
        assert headers.get_all("server") == ["a", "b"]


def test_every_legal_character_of_a_value_passes():
    value = bytes(byte for byte in range(0x21, 0x100) if byte != 0x7F)
    with serve(only_http(answer(headers=[(b"x-all", b"a\tb " + value)]))) as server, server.raw(GET) as connection:
        assert b"a\tb " + value in receive(connection, lambda data: data.endswith(b"hello"))


@pytest.mark.parametrize("status", [299, 418, 599])
def test_statuses_that_have_no_name(status):
    with serve(only_http(answer(status))) as server:
        assert get(server)[0].status == status


@pytest.mark.parametrize("status", [99, 100, 101, 1000, -1, "200", None])
def test_statuses_that_are_none(status):
    with serve(only_http(answer(status))) as server:
        assert get(server)[0].status == 500


@pytest.mark.parametrize("missing", ["status", "type"])
def test_a_message_without_what_it_needs_is_500(missing):
    async def application(scope, receive, send):
        message = {"type": "http.response.start", "status": 200}
        del message[missing]
        await send(message)
        await send({"type": "http.response.body"})

    with serve(only_http(application)) as server:
        assert get(server)[0].status == 500


@pytest.mark.parametrize("header", [(b"a", 1), ("ü€", b"a"), (b"a",), b"a"])
def test_headers_of_a_wrong_type_are_500(header):
    with serve(only_http(answer(headers=[header]))) as server:
        assert get(server)[0].status == 500


@pytest.mark.parametrize("kind", [bytearray, memoryview])
def test_other_kinds_of_bytes(kind):
    async def application(scope, receive, send):
        await send({"type": "http.response.start", "status": 200})
        if scope["path"] == "/stream":
            await send({"type": "http.response.body", "body": kind(b"hel"), "more_body": True})
            await send({"type": "http.response.body", "body": kind(b"lo")})
        else:
            await send({"type": "http.response.body", "body": kind(b"hello")})

    with serve(only_http(application)) as server:
        assert get(server)[1] == get(server, "/stream")[1] == b"hello"


def test_a_drain_lets_requests_end_and_closes_their_connections():
    seen, release = [], threading.Event()
    with serve(held(seen, release)) as server, server.raw(GET) as connection:
        until(lambda: seen, "the request")
        server.call(server.reactor.drain)
        release.set()
        data = receive_all(connection)
        assert statuses(data) == [200] and data.endswith(b"hello")
        assert b"connection: close" in data.lower()


def test_a_drain_closes_idle_connections():
    with serve(only_http(answer())) as server, server.raw(GET) as used, server.raw() as unused:
        receive(used, lambda data: data.endswith(b"hello"))
        until(lambda: server.stats()["connections"] == 2, "both connections")
        server.call(server.reactor.drain)
        assert receive_all(used) == receive_all(unused) == b""


def test_counters():
    with serve(only_http(answer())) as server:
        get(server)
        get(server)
        until(lambda: server.stats()["connections"] == 0, "the end of the connections")
        stats = server.stats()
        assert (stats["requests"], stats["in_flight"], stats["websockets"]) == (2, 0, 0)


LARGE = bytes(1 << 25)  # more than the system's buffers hold


def test_a_client_that_still_takes_its_answer_is_not_idle():
    with serve(only_http(answer(body=LARGE)), keep_alive=0.2) as server, server.raw(GET) as connection:
        connection.recv(1)
        time.sleep(1.5)  # longer than an idle one is kept
        assert len(receive_all(connection)) > len(LARGE)


def test_a_drain_ends_a_connection_with_the_answer_it_still_takes():
    with serve(only_http(answer(body=LARGE))) as server, server.raw(GET) as connection:
        connection.recv(1)
        server.call(server.reactor.drain)
        assert len(receive_all(connection)) > len(LARGE)


def test_a_handshake_that_is_accepted_during_a_drain_hears_of_it():
    seen, release = [], threading.Event()

    async def application(scope, receive, send):
        if scope["type"] == "websocket":
            seen.append(await receive())
            while not release.is_set():
                await asyncio.sleep(0.005)
            await send({"type": "websocket.accept"})
            seen.append(await receive())

    with serve(application) as server, server.raw(HANDSHAKE) as connection:
        until(lambda: seen, "the handshake")
        server.call(server.reactor.drain)
        release.set()
        receive(connection, lambda data: data.endswith(b"\x88\x11\x03\xf4service restart"))
        connection.close()
        until(lambda: len(seen) == 2, "the end")
        assert seen[1]["code"] == 1012
