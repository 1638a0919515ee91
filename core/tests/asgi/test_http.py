"""One answer, its headers, its errors: HTTP through the ASGI handler."""

import asyncio
import logging
import threading
from functools import partial
from pathlib import Path

import pytest

from server import get, only, receive, receive_all, serve, until

only_http = partial(only, "http")
HELLO = [(b"content-type", b"text/plain"), (b"x-one", b"1"), (b"x-one", b"2")]


def answer(status=200, headers=HELLO, body=b"hello"):
    async def application(scope, receive, send):
        assert scope["type"] == "http"
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return application


@pytest.fixture
def scope_of():
    """Sends raw bytes and returns the scope that the application got."""
    seen = []

    async def application(scope, receive, send):
        seen.append(scope)
        await answer()(scope, receive, send)

    application_without_lifespan = only_http(application)
    with serve(application_without_lifespan) as server:

        def send(data: bytes) -> dict:
            with server.raw(data) as connection:
                receive(connection, lambda data: data.startswith(b"HTTP/1.1 200 OK\r\n") and data.endswith(b"hello"))
                return seen[-1] | {"local": connection.getsockname(), "port": server.port}

        yield send


def test_one_shot_has_status_headers_and_length():
    with serve(only_http(answer(201))) as server:
        response, body = get(server)
        assert (response.status, body) == (201, b"hello")
        assert response.headers.get_all("x-one") == ["1", "2"]
        assert response.headers["content-length"] == "5"
        assert response.headers["transfer-encoding"] is None


def test_connection_is_kept_for_the_next_request():
    with serve(only_http(answer())) as server:
        connection = server.http()
        for _ in range(3):
            connection.request("GET", "/")
            used = connection.sock
            assert connection.getresponse().read() == b"hello"
            assert connection.sock is used is not None


def test_pipelined_requests_are_answered_in_order():
    async def application(scope, receive, send):
        # The first takes longest: answers must not overtake.
        await asyncio.sleep(0.05 if scope["path"] == "/0" else 0)
        await answer(body=scope["path"].encode())(scope, receive, send)

    with serve(only_http(application)) as server:
        requests = b"".join(b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % n for n in range(5))
        with server.raw(requests) as connection:
            data = receive(connection, lambda data: data.count(b"HTTP/1.1 200") == 5 and data.endswith(b"/4"))
        assert [part[-2:] for part in data.split(b"HTTP/1.1 200 OK")[1:]] == [b"/%d" % n for n in range(5)]


def test_scope_follows_the_specification(scope_of):
    scope = scope_of(
        b"POST /caf%C3%A9/a%2Fb?q=%20&r HTTP/1.1\r\nHost: example.com\r\nX-A: one\r\nx-a: two\r\nUnder_Score: kept\r\n"
        b"Content-Length: 0\r\n\r\n"
    )
    assert scope["type"] == "http"
    assert scope["asgi"] == {"version": "3.0", "spec_version": "2.5"}
    assert (scope["http_version"], scope["method"], scope["scheme"], scope["root_path"]) == ("1.1", "POST", "http", "")
    assert (scope["path"], scope["raw_path"]) == ("/café/a/b", b"/caf%C3%A9/a%2Fb")
    assert scope["query_string"] == b"q=%20&r"
    assert [tuple(pair) for pair in scope["headers"]] == [
        (b"host", b"example.com"),
        (b"x-a", b"one"),
        (b"x-a", b"two"),
        (b"under_score", b"kept"),
        (b"content-length", b"0"),
    ]
    assert tuple(scope["client"]) == scope["local"]
    assert tuple(scope["server"]) == ("127.0.0.1", scope["port"])
    assert scope["state"] == {}


def test_scope_of_an_absolute_target_and_an_old_client(scope_of):
    scope = scope_of(b"GET http://example.com/there?x HTTP/1.1\r\nHost: example.com\r\n\r\n")
    assert (scope["path"], scope["raw_path"], scope["query_string"]) == ("/there", b"/there", b"x")


def test_head_has_the_length_and_no_body():
    with serve(only_http(answer())) as server:
        connection = server.http()
        for _ in range(2):  # a body would be read as the head of the next answer
            connection.request("HEAD", "/")
            response = connection.getresponse()
            assert (response.status, response.headers["content-length"], response.read()) == (200, "5", b"")


def test_head_of_a_streamed_answer():
    async def application(scope, receive, send):
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"part", "more_body": True})
        await send({"type": "http.response.body", "body": b"end"})

    with serve(only_http(application)) as server:
        connection = server.http()
        for _ in range(2):
            connection.request("HEAD", "/")
            assert connection.getresponse().read() == b""


@pytest.mark.parametrize("status", [204, 304])
def test_statuses_without_a_body(status):
    with serve(only_http(answer(status, headers=[], body=b""))) as server:
        connection = server.http()
        for _ in range(2):
            connection.request("GET", "/")
            response = connection.getresponse()
            assert (response.status, response.read(), response.headers["transfer-encoding"]) == (status, b"", None)


def test_headers_are_optional():
    async def application(scope, receive, send):
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body"})

    with serve(only_http(application)) as server:
        response, body = get(server)
        assert (response.status, body) == (200, b"")


def test_connection_close_of_the_client_is_honoured():
    with (
        serve(only_http(answer())) as server,
        server.raw(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") as connection,
    ):
        data = receive_all(connection)
        assert data.endswith(b"hello")
        assert b"connection: close" in data.lower()


@pytest.mark.parametrize("error", [KeyError, SystemExit])
def test_an_error_before_the_answer_is_500_and_logged(error, caplog):
    async def application(scope, receive, send):
        raise error("secret detail")

    with serve(only_http(application)) as server, caplog.at_level(logging.ERROR, "django_rivet.asgi"):
        response, body = get(server, "/broken")
        assert (response.status, body) == (500, b"Internal Server Error")
        assert "GET /broken" in caplog.text and "secret detail" in caplog.text
        assert get(server)[0].status == 500  # and it goes on


def test_an_error_after_the_held_start_is_500():
    async def application(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": HELLO})
        raise RuntimeError("late")

    with serve(only_http(application)) as server:
        response, _ = get(server)
        assert (response.status, response.headers["x-one"]) == (500, None)


@pytest.mark.parametrize("ending", ["raise", "return"])
def test_an_answer_that_breaks_off_is_cut(ending):
    async def application(scope, receive, send):
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"part", "more_body": True})
        if ending == "raise":
            raise RuntimeError("half-way")

    with serve(only_http(application)) as server:
        with server.raw(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") as connection:
            data = receive_all(connection)
        assert not data.endswith(b"0\r\n\r\n"), "the client must see that something is missing"


@pytest.mark.parametrize("started", [False, True])
def test_no_complete_answer_is_500_and_logged(started, caplog):
    async def application(scope, receive, send):
        if started:
            await send({"type": "http.response.start", "status": 200})

    with serve(only_http(application)) as server:
        assert get(server)[0].status == 500
        until(lambda: "without a complete response" in caplog.text, "the log")


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([{"type": "http.response.body", "body": b""}], "http.response.start"),
        ([{"type": "websocket.accept"}], "http.response.start"),
        ([{"type": "http.response.start", "status": 200}] * 2, "http.response.body"),
        (
            [
                {"type": "http.response.start", "status": 200},
                {"type": "http.response.body"},
                {"type": "http.response.body"},
            ],
            "complete",
        ),
        (
            [
                {"type": "http.response.start", "status": 200},
                {"type": "http.response.body", "more_body": True},
                {"type": "http.response.start", "status": 200},
            ],
            "http.response.body",
        ),
    ],
)
def test_messages_out_of_order_are_a_clear_error(messages, expected):
    errors = []

    async def application(scope, receive, send):
        try:
            for message in messages:
                await send(message)
        except RuntimeError as error:
            errors.append(str(error))
            raise

    with serve(only_http(application)) as server, server.raw(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"):
        until(lambda: errors, "the error")
        assert "out of order" in errors[0] and expected in errors[0]


@pytest.mark.parametrize(
    "header", [(b"x-split", b"a\r\nx-injected: 1"), (b"x-split", b"a\nb"), (b"x split", b"a"), (b"", b"a")]
)
def test_a_header_that_would_split_the_answer_is_500(header):
    with serve(only_http(answer(headers=[header]))) as server:
        response, _ = get(server)
        assert response.status == 500
        assert response.headers["x-injected"] is None


@pytest.mark.parametrize("length", [b"4", b"6"])
def test_a_wrong_content_length_never_reaches_the_client_as_a_whole_answer(length):
    async def application(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]})
        await send({"type": "http.response.body", "body": b"hel", "more_body": True})
        await send({"type": "http.response.body", "body": b"lo"})

    with serve(only_http(application)) as server, server.raw(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") as connection:
        body = receive_all(connection).partition(b"\r\n\r\n")[2]
        assert len(body) <= int(length)


def test_pathsend_sends_a_file(tmp_path: Path):
    content = bytes(range(256)) * 5000
    (tmp_path / "file").write_bytes(content)

    async def application(scope, receive, send):
        assert "http.response.pathsend" in scope["extensions"]
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"image/x-test")]})
        await send({"type": "http.response.pathsend", "path": str(tmp_path / "file")})

    with serve(only_http(application)) as server:
        response, body = get(server)
        assert body == content
        assert response.headers["content-length"] == str(len(content))
        assert response.headers["content-type"] == "image/x-test"


def test_pathsend_of_a_missing_file_is_500(tmp_path: Path):
    async def application(scope, receive, send):
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.pathsend", "path": str(tmp_path / "missing")})

    with serve(only_http(application)) as server:
        assert get(server)[0].status == 500


def test_work_after_the_answer_leaves_the_connection_free():
    release = threading.Event()
    finished = []

    async def application(scope, receive, send):
        await answer()(scope, receive, send)
        if scope["path"] == "/later":
            while not release.is_set():
                await asyncio.sleep(0.005)
            finished.append(True)

    with serve(only_http(application)) as server:
        connection = server.http()
        connection.request("GET", "/later")
        assert connection.getresponse().read() == b"hello"
        used = connection.sock
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"hello"
        assert connection.sock is used and not finished
        release.set()
        until(lambda: finished, "the work")


def test_an_error_after_the_answer_is_logged_and_changes_nothing(caplog):
    async def application(scope, receive, send):
        await answer()(scope, receive, send)
        raise RuntimeError("in the background")

    with serve(only_http(application)) as server:
        connection = server.http()
        for _ in range(2):
            connection.request("GET", "/")
            assert connection.getresponse().read() == b"hello"
        until(lambda: "in the background" in caplog.text, "the log")


def test_headers_as_lists_and_generators():
    async def application(scope, receive, send):
        headers = ([name, value] for name, value in HELLO)
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"hello"})

    with serve(only_http(application)) as server:
        assert get(server)[0].headers.get_all("x-one") == ["1", "2"]


def test_requests_whose_bodies_come_late_have_ids_of_their_own():
    ids = []

    def handler(request):
        ids.append(request.id)
        request.respond(200, [], b"well")

    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n"
    with (
        serve(setup=lambda reactor: reactor.fallback(handler)) as server,
        server.raw(head) as first,
        server.raw(head) as second,
    ):
        server.stats()  # a turn of the loop: both heads have been read
        for connection in (first, second):
            connection.sendall(b"x")
            receive(connection, lambda data: data.endswith(b"well"))
    assert len(set(ids)) == 2
