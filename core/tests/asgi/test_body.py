"""Bodies in both directions: streams, sizes, backpressure, clients that leave."""

import asyncio
import hashlib
import logging
import os
import socket
import threading
from pathlib import Path

import pytest

from server import DEADLINE, receive, receive_all, serve, until
from test_http import answer, only_http

MIB = 1 << 20


def digest_of_body():
    async def application(scope, receive, send):
        digest, size, parts = hashlib.sha256(), 0, 0
        while True:
            message = await receive()
            assert message["type"] == "http.request"
            digest.update(message["body"])
            size += len(message["body"])
            parts += 1
            if not message["more_body"]:
                break
        await answer(body=f"{size} {digest.hexdigest()} {parts}".encode())(scope, receive, send)

    return only_http(application)


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("size", [0, 1, 100_000, 20 * MIB])
def test_a_body_arrives_whole(size, chunked):
    body = (b"0123456789abcdef" * (size // 16 + 1))[:size]
    with serve(digest_of_body()) as server:
        connection = server.http()
        for _ in range(2):
            if chunked:
                parts = (body[start : start + 60_000] for start in range(0, size, 60_000))
                connection.request(
                    "POST", "/", body=parts, encode_chunked=True, headers={"Transfer-Encoding": "chunked"}
                )
            else:
                connection.request("POST", "/", body=body)
            got = connection.getresponse().read().decode().split()
            assert got[:2] == [str(size), hashlib.sha256(body).hexdigest()]


def test_no_body_is_one_empty_message():
    with serve(digest_of_body()) as server:
        connection = server.http()
        connection.request("GET", "/")
        assert connection.getresponse().read().split()[2] == b"1"


def test_a_body_of_known_length_ends_with_its_last_part():
    """Not with an empty one after it, for which an application would have to wait once more."""
    with serve(digest_of_body()) as server:
        connection = server.http()
        connection.request("POST", "/", body=b"x")
        assert connection.getresponse().read().split()[2] == b"1"


def test_a_body_comes_as_it_is_sent():
    got = []

    async def application(scope, receive, send):
        for _ in range(3):
            got.append((await receive())["body"])
        await answer()(scope, receive, send)

    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"
    with serve(only_http(application)) as server, server.raw(head) as connection:
        for number, part in enumerate((b"one", b"two", b"six"), 1):
            connection.sendall(part)
            until(lambda number=number: len(got) == number, "the part")
        assert got == [b"one", b"two", b"six"]
        receive(connection, lambda data: data.endswith(b"hello"))


def test_a_body_that_nobody_reads_is_not_read_from_the_socket():
    go = threading.Event()

    async def application(scope, receive, send):
        while not go.is_set():
            await asyncio.sleep(0.005)
        await digest_of_body()(scope, receive, send)

    size = 64 * MIB
    sent = 0
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size
    with serve(only_http(application)) as server, server.raw(head) as connection:
        connection.settimeout(0.5)
        try:
            while sent < size:
                sent += connection.send(b"x" * 65536)
        except TimeoutError:
            pass
        assert sent < size // 2, "the server took what nobody asked for"
        go.set()
        connection.settimeout(20)
        while sent < size:
            sent += connection.send(b"x" * min(65536, size - sent))
        receive(connection, lambda data: b"\r\n\r\n%d " % size in data)


def test_expect_100_continue_is_sent_when_the_body_is_wanted():
    with (
        serve(digest_of_body()) as server,
        server.raw(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n") as connection,
    ):
        receive(connection, lambda data: data == b"HTTP/1.1 100 Continue\r\n\r\n")
        connection.sendall(b"abc")
        receive(connection, lambda data: data.startswith(b"HTTP/1.1 200 "))


def test_expect_100_continue_is_not_sent_when_the_answer_comes_first():
    with (
        serve(only_http(answer(413))) as server,
        server.raw(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n") as connection,
    ):
        receive(connection, lambda data: data.startswith(b"HTTP/1.1 413 "))


def test_an_answer_before_the_body_is_read_does_not_mix_up_the_next_request():
    with serve(only_http(answer())) as server:
        for _ in range(3):
            connection = server.http()
            connection.request("POST", "/", body=b"GET /smuggled HTTP/1.1\r\n\r\n" * 1000)
            assert connection.getresponse().read() == b"hello"
            connection.close()


def streamed(parts, wait=None, headers=()):
    async def application(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": list(headers)})
        for part in parts:
            await send({"type": "http.response.body", "body": part, "more_body": True})
            if wait:
                await wait()
        await send({"type": "http.response.body"})

    return only_http(application)


def test_a_streamed_answer_is_chunked_and_comes_at_once():
    go = threading.Event()

    async def wait():
        while not go.is_set():
            await asyncio.sleep(0.005)

    with serve(streamed([b"first", b"second"], wait)) as server:
        connection = server.http()
        connection.request("GET", "/")
        response = connection.getresponse()
        assert response.headers["transfer-encoding"] == "chunked"
        assert response.read(5) == b"first"
        go.set()
        assert response.read() == b"second"


def test_an_empty_stream():
    with serve(streamed([])) as server:
        connection = server.http()
        for _ in range(2):
            connection.request("GET", "/")
            assert connection.getresponse().read() == b""


def test_a_streamed_answer_with_a_length_is_not_chunked():
    with serve(streamed([b"abc", b"", b"def"], headers=[(b"content-length", b"6")])) as server:
        connection = server.http()
        for _ in range(2):
            connection.request("GET", "/")
            response = connection.getresponse()
            assert response.headers["transfer-encoding"] is None
            assert response.read() == b"abcdef"


def test_a_large_streamed_answer_arrives_whole():
    parts = [bytes([number % 256]) * 100_000 for number in range(300)]
    with serve(streamed(parts)) as server:
        connection = server.http()
        connection.request("GET", "/")
        assert hashlib.sha256(connection.getresponse().read()).digest() == hashlib.sha256(b"".join(parts)).digest()


def test_a_large_answer_in_one_piece_arrives_whole():
    body = bytes(range(256)) * 100_000
    with serve(only_http(answer(body=body))) as server:
        connection = server.http()
        for _ in range(2):
            connection.request("GET", "/")
            assert connection.getresponse().read() == body


def test_send_waits_for_a_client_that_does_not_read():
    sent = []

    async def application(scope, receive, send):
        await send({"type": "http.response.start", "status": 200})
        for _ in range(1000):
            await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True})
            sent.append(1)
        await send({"type": "http.response.body"})

    with serve(only_http(application)) as server, server.raw(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") as connection:
        until(lambda: len(sent) > 5, "the start")
        count = -1
        while count != len(sent):  # until it stands still
            count = len(sent)
            threading.Event().wait(0.2)
        assert count < 300, "send() took 100 MB for a client that reads nothing"
        received = 0
        while received < 100_000_000:
            received += len(connection.recv(1 << 20))
        until(lambda: len(sent) == 1000, "the rest")


def reset(connection: socket.socket) -> None:
    """Leaves at once, as a client that crashes."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.close()


@pytest.mark.parametrize("leave", [socket.socket.close, reset])
def test_receive_tells_that_the_client_has_gone(leave):
    got = []

    async def application(scope, receive, send):
        assert not (await receive())["more_body"]
        got.append("waits")
        got.append((await receive())["type"])
        got.append((await receive())["type"])

    with serve(only_http(application)) as server:
        connection = server.raw(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        until(lambda: got, "the request")
        leave(connection)
        until(lambda: len(got) == 3, "the disconnect")
        assert got[1:] == ["http.disconnect"] * 2


def test_receive_tells_that_the_client_left_within_its_body():
    got = []

    async def application(scope, receive, send):
        while not got or got[-1] != "http.disconnect":
            got.append((await receive())["type"])

    with serve(only_http(application)) as server:
        connection = server.raw(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc")
        until(lambda: got, "the first part")
        reset(connection)
        until(lambda: got[-1] == "http.disconnect", "the disconnect")


def test_receive_tells_that_the_client_left_whose_whole_body_had_to_wait():
    got = []

    async def application(scope, receive, send):
        await asyncio.sleep(0)  # meanwhile the body comes, all of it, and more than may wait
        while not got or got[-1] != "http.disconnect":
            got.append((await receive())["type"])

    with serve(only_http(application), high_water=1000) as server:
        connection = server.raw(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2000\r\n\r\n" + b"x" * 2000)
        until(lambda: got, "the body")
        connection.close()
        until(lambda: got[-1] == "http.disconnect", "the disconnect")


def test_receive_ends_with_the_answer():
    """A task that waits for the client to leave must not wait for ever (Starlette, Django)."""
    got = []

    async def application(scope, receive, send):
        await receive()
        waiting = asyncio.create_task(receive())
        await asyncio.sleep(0)
        await answer()(scope, receive, send)
        got.append(await waiting)
        got.append(await receive())

    with serve(only_http(application)) as server:
        connection = server.http()
        for _ in range(2):
            connection.request("GET", "/")
            assert connection.getresponse().read() == b"hello"
        until(lambda: len(got) == 4, "the messages")
        assert got == [{"type": "http.disconnect"}] * 4


def test_a_cancelled_receive_loses_nothing():
    async def application(scope, receive, send):
        body = b""
        while True:
            try:
                message = await asyncio.wait_for(receive(), 0.01)
            except TimeoutError:
                continue
            body += message["body"]
            if not message["more_body"]:
                break
        await answer(body=body)(scope, receive, send)

    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\n"
    with serve(only_http(application)) as server, server.raw(head) as connection:
        for part in (b"ab", b"cd", b"ef"):
            threading.Event().wait(0.05)
            connection.sendall(part)
        receive(connection, lambda data: data.endswith(b"abcdef"))


@pytest.mark.parametrize("one_shot", [True, False])
def test_send_after_the_client_has_gone_is_an_oserror_and_no_error_in_the_log(one_shot, caplog):
    raised = []

    async def application(scope, receive, send):
        await receive()
        assert (await receive())["type"] == "http.disconnect"
        await send({"type": "http.response.start", "status": 200})
        try:
            await send({"type": "http.response.body", "body": b"x", "more_body": not one_shot})
        except OSError as error:
            raised.append(error)
            raise

    with serve(only_http(application)) as server, caplog.at_level(logging.INFO):
        connection = server.raw(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        until(lambda: server.stats()["connections"], "the connection")
        connection.close()
        until(lambda: raised, "the error")
    assert type(raised[0]) is not OSError, "a class of our own, as the specification has it"
    assert "failed" not in caplog.text


def test_an_endless_answer_ends_with_its_client():
    ended = []

    async def application(scope, receive, send):
        await send({"type": "http.response.start", "status": 200})
        try:
            while True:
                await send({"type": "http.response.body", "body": b"x" * 1000, "more_body": True})
                await asyncio.sleep(0)
        except OSError:
            ended.append(True)

    with serve(only_http(application)) as server:
        connection = server.raw(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        connection.recv(1000)
        reset(connection)
        until(lambda: ended, "the end")


def test_the_application_is_not_cancelled_when_the_client_leaves():
    ended = []
    left = threading.Event()

    async def application(scope, receive, send):
        try:
            while not left.is_set():
                await asyncio.sleep(0.005)
            await receive()
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise
        ended.append("finished")

    with serve(only_http(application)) as server:
        connection = server.raw(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        until(lambda: server.stats()["connections"], "the connection")
        reset(connection)
        until(lambda: not server.stats()["connections"], "the disconnect")
        left.set()
        until(lambda: ended, "the end")
    assert ended == ["finished"]


def test_a_receive_that_waits_for_a_body_ends_with_the_answer():
    got = []

    async def application(scope, receive, send):
        waiting = asyncio.create_task(receive())
        await asyncio.sleep(0)
        await answer()(scope, receive, send)
        got.append(await waiting)

    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"
    with serve(only_http(application)) as server, server.raw(head) as connection:
        receive_all(connection)
        until(lambda: got, "the message")
        assert got == [{"type": "http.disconnect"}]


def test_a_request_that_was_answered_does_not_read_the_body_of_the_next():
    asked = []
    got = []

    async def second(request):
        try:
            got.append(await asked[0].read())
        except RuntimeError as error:
            got.append(str(error))
        request.respond(200, [], await request.read())

    def handler(request):
        asked.append(request)
        if len(asked) == 1:
            request.respond(200, [], b"first")
        else:
            asked.append(asyncio.get_running_loop().create_task(second(request)))

    with serve(setup=lambda reactor: reactor.fallback(handler, stream_body=True)) as server:
        connection = server.http()
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"first"
        connection.request("POST", "/", body=b"secret")
        assert connection.getresponse().read() == b"secret"
        assert "answered" in got[0]


def test_a_task_that_waits_for_a_slow_client_goes_on_when_that_has_caught_up():
    """Another one may have ended the answer meanwhile."""
    size = 32 * MIB
    events = []

    async def wait(request):
        await request.drained()
        events.append("drained")

    async def handle(request):
        request.start(200, [("Content-Length", str(size))])
        assert not request.write(bytes(size))
        waiting = asyncio.create_task(wait(request))
        await asyncio.sleep(0)
        request.end()
        events.append("ended")
        await waiting

    def handler(request):
        events.append(asyncio.get_running_loop().create_task(handle(request)))

    with serve(setup=lambda reactor: reactor.fallback(handler)) as server:
        connection = server.http()
        connection.request("GET", "/")
        response = connection.getresponse()
        until(lambda: "ended" in events, "the end of the answer")
        server.stats()
        assert events[-1] == "ended", "nothing has been read"
        assert len(response.read()) == size
        until(lambda: events[-1] == "drained", "the waiting task")


def memory() -> int:
    """Bytes that this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def test_a_client_that_never_catches_up_costs_little_memory():
    """It reads all the time, but there is always something left to send."""
    parts = [bytes(60_000)] * 2000
    with serve(streamed(parts)) as server, socket.socket() as connection:
        # As on a long way, the system takes little at once; connections have it from the listener.
        server.listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16384)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
        connection.settimeout(DEADLINE)
        connection.connect(("127.0.0.1", server.port))
        before = memory()
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        left = 48 * MIB
        while left > 0:
            left -= len(connection.recv(16384))
        assert memory() - before < 16 * MIB
