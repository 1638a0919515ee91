"""Order of messages, close codes, disconnects: WebSockets through the ASGI handler."""

import asyncio
import logging
import socket
import struct
import threading
from functools import partial

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from server import only, serve, until

only_websocket = partial(only, "websocket")


async def accept(receive, send, **extra):
    assert await receive() == {"type": "websocket.connect"}
    await send({"type": "websocket.accept", **extra})


@only_websocket
async def echo(scope, receive, send):
    await accept(receive, send)
    while (message := await receive())["type"] == "websocket.receive":
        key = "text" if message.get("text") is not None else "bytes"
        await send({"type": "websocket.send", key: message[key]})


def test_text_and_bytes_come_back():
    with serve(echo) as server, connect(server.url(), max_size=None) as client:
        for message in ("", "grüße", "x" * 200_000, b"", b"\0\xff", bytes(2_000_000)):
            client.send(message)
            assert client.recv(10) == message


def test_scope_follows_the_specification():
    seen = []

    @only_websocket
    async def application(scope, receive, send):
        seen.append(scope)
        await accept(receive, send, subprotocol="two")
        await receive()

    with serve(application) as server:
        url = server.url("/caf%C3%A9?q=1")
        with connect(url, subprotocols=["one", "two"], additional_headers={"X-A": "b"}) as client:
            assert client.subprotocol == "two"
            local = client.local_address
        scope = seen[0]
    assert scope["asgi"] == {"version": "3.0", "spec_version": "2.5"}
    assert (scope["path"], scope["raw_path"], scope["query_string"]) == ("/café", b"/caf%C3%A9", b"q=1")
    assert (scope["scheme"], scope["http_version"], scope["root_path"]) == ("ws", "1.1", "")
    assert list(scope["subprotocols"]) == ["one", "two"]
    assert (b"x-a", b"b") in [tuple(pair) for pair in scope["headers"]]
    assert (tuple(scope["client"]), tuple(scope["server"])) == (local, ("127.0.0.1", server.port))
    assert scope["extensions"] == {"websocket.http.response": {}}
    assert scope["state"] == {}
    assert "method" not in scope


def test_accept_with_headers():
    @only_websocket
    async def application(scope, receive, send):
        await accept(receive, send, headers=[(b"x-one", b"1"), (b"set-cookie", b"a=b")])
        await receive()

    with serve(application) as server, connect(server.url()) as client:
        assert (client.response.headers["x-one"], client.response.headers["set-cookie"]) == ("1", "a=b")
        assert client.subprotocol is None


def refused(server, **arguments):
    with pytest.raises(InvalidStatus) as caught, connect(server.url(), **arguments):
        pass
    return caught.value.response


def test_close_before_accept_is_403():
    told = []

    @only_websocket
    async def application(scope, receive, send):
        await receive()
        await send({"type": "websocket.close"})
        told.append(await receive())

    with serve(application) as server:
        assert refused(server).status_code == 403
        until(lambda: told, "the disconnect")
        assert (told[0]["type"], told[0]["code"]) == ("websocket.disconnect", 1006)


def test_denial_with_a_response_of_its_own():
    @only_websocket
    async def application(scope, receive, send):
        await receive()
        headers = [(b"content-type", b"text/plain"), (b"x-why", b"tired")]
        await send({"type": "websocket.http.response.start", "status": 418, "headers": headers})
        await send({"type": "websocket.http.response.body", "body": b"tea", "more_body": True})
        await send({"type": "websocket.http.response.body", "body": b"pot"})

    with serve(application) as server:
        response = refused(server)
        assert (response.status_code, response.body, response.headers["x-why"]) == (418, b"teapot", "tired")


@pytest.mark.parametrize("how", ["raise", "return", "half a response"])
def test_no_answer_to_the_handshake_is_500_and_logged(how, caplog):
    @only_websocket
    async def application(scope, receive, send):
        await receive()
        if how == "raise":
            raise KeyError("secret detail")
        if how == "half a response":
            await send({"type": "websocket.http.response.start", "status": 418})

    with serve(application) as server:
        response = refused(server)
        assert response.status_code == 500
        assert b"secret" not in (response.body or b"")
        until(lambda: caplog.records, "the log")
        assert caplog.records[0].levelno == logging.ERROR


def close_of(application, leave=None):
    """Connects, lets the application end, and returns the code and reason that the client saw."""
    with serve(application) as server, connect(server.url()) as client:
        with pytest.raises(ConnectionClosed) as caught:
            client.recv(10)
        close = caught.value.rcvd
        return (close.code, close.reason) if close else (None, None)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({}, (1000, "")),
        ({"code": 4001}, (4001, "")),
        ({"code": 3000, "reason": "gone fishing"}, (3000, "gone fishing")),
        ({"code": None, "reason": None}, (1000, "")),
    ],
)
def test_close_codes_reach_the_client(message, expected):
    @only_websocket
    async def application(scope, receive, send):
        await accept(receive, send)
        await send({"type": "websocket.close", **message})

    assert close_of(application) == expected


@pytest.mark.parametrize("error", [KeyError, SystemExit])
def test_an_error_closes_with_1011_and_is_logged(error, caplog):
    @only_websocket
    async def application(scope, receive, send):
        await accept(receive, send)
        raise error("secret detail")

    assert close_of(application) == (1011, "")
    assert "secret detail" in caplog.text


def test_the_end_of_the_application_closes_with_1000():
    @only_websocket
    async def application(scope, receive, send):
        await accept(receive, send)

    assert close_of(application) == (1000, "")


def test_what_was_sent_before_the_close_arrives():
    @only_websocket
    async def application(scope, receive, send):
        await accept(receive, send)
        for number in range(100):
            await send({"type": "websocket.send", "text": str(number)})
        await send({"type": "websocket.close"})

    with serve(application) as server, connect(server.url()) as client:
        assert list(client) == [str(number) for number in range(100)]


class Told:
    """An application that notes what its receive() says, and what a send() after the end raises."""

    def __init__(self):
        self.messages = []
        self.raised = []

    @property
    def app(self):
        @only_websocket
        async def application(scope, receive, send):
            await accept(receive, send)
            await send({"type": "websocket.send", "text": "ready"})
            while not self.messages or self.messages[-1]["type"] != "websocket.disconnect":
                self.messages.append(await receive())
            for call in (lambda: send({"type": "websocket.send", "text": "late"}), receive):
                try:
                    await call()
                except Exception as error:
                    self.raised.append(error)

        return application

    def disconnects(self):
        until(lambda: len(self.raised) == 2, "the end of the application")
        return [(message["code"], message["reason"]) for message in self.messages]


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (struct.pack("!H", 1000) + b"bye", (1000, "bye")),
        (struct.pack("!H", 4999) + "grüße".encode(), (4999, "grüße")),
        (b"", (1005, "")),
    ],
)
def test_the_disconnect_has_the_code_of_the_client(frame, expected):
    told = Told()
    with serve(told.app) as server, connect(server.url()) as client:
        client.recv(10)
        client.socket.sendall(bytes([0x88, 0x80 | len(frame), 0, 0, 0, 0]) + frame)
        assert told.disconnects() == [expected]
    assert isinstance(told.raised[0], OSError), "send() after the disconnect"
    assert isinstance(told.raised[1], RuntimeError), "receive() after the disconnect: there is only one"


def test_a_lost_connection_is_1006():
    told = Told()
    with serve(told.app) as server:
        client = server.open()
        client.recv(10)
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.socket.shutdown(socket.SHUT_RDWR)
        client.socket.close()
        assert [code for code, _ in told.disconnects()] == [1006]
    assert isinstance(told.raised[0], OSError)


def test_a_restart_is_1012():
    told = Told()
    with serve(told.app) as server, connect(server.url()) as client:
        client.recv(10)
        server.call(server.reactor.drain)
        with pytest.raises(ConnectionClosed) as caught:
            client.recv(10)
        assert caught.value.rcvd.code == 1012
        assert [code for code, _ in told.disconnects()] == [1012]


def test_messages_before_the_close_are_received_first():
    told = Told()
    with serve(told.app) as server, connect(server.url()) as client:
        client.recv(10)
        for number in range(20):
            client.send(str(number))
        client.close(4000)
        until(lambda: len(told.raised) == 2, "the end")
    assert [message.get("text") for message in told.messages[:-1]] == [str(number) for number in range(20)]
    assert told.messages[-1]["code"] == 4000


def test_one_disconnect_after_a_close_of_our_own():
    told = []

    @only_websocket
    async def application(scope, receive, send):
        await accept(receive, send)
        await send({"type": "websocket.close", "code": 4002})
        told.append(await receive())
        try:
            await receive()
        except RuntimeError as error:
            told.append(error)

    with serve(application) as server, connect(server.url()) as client:
        with pytest.raises(ConnectionClosed):
            client.recv(10)
        until(lambda: len(told) == 2, "the messages")
    assert (told[0]["type"], told[0]["code"]) == ("websocket.disconnect", 4002)


def test_receive_before_accept_waits_for_it():
    """Some applications keep a reader task from the start."""
    got = []

    @only_websocket
    async def application(scope, receive, send):
        await receive()
        reader = asyncio.create_task(receive())
        await asyncio.sleep(0.02)
        assert not reader.done()
        await send({"type": "websocket.accept"})
        got.append(await reader)

    with serve(application) as server, connect(server.url()) as client:
        client.send("first")
        until(lambda: got, "the message")
        assert got[0]["text"] == "first"


def test_a_client_that_leaves_during_the_handshake():
    got = []

    @only_websocket
    async def application(scope, receive, send):
        await receive()
        got.append("waits")
        got.append(await receive())
        try:
            await send({"type": "websocket.accept"})
        except OSError as error:
            got.append(error)

    handshake = (
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    with serve(application) as server:
        connection = server.raw(handshake)
        until(lambda: got, "the handshake")
        connection.close()
        until(lambda: len(got) == 3, "the disconnect")
    assert (got[1]["type"], got[1]["code"]) == ("websocket.disconnect", 1006)


def test_an_uncaught_error_of_send_after_the_disconnect_is_not_logged(caplog):
    ended = []

    @only_websocket
    async def application(scope, receive, send):
        await accept(receive, send)
        try:
            while True:
                await send({"type": "websocket.send", "text": "tick"})
                await asyncio.sleep(0.001)
        finally:
            ended.append(True)

    with serve(application) as server, caplog.at_level(logging.INFO):
        with connect(server.url()) as client:
            client.recv(10)
        until(lambda: ended, "the end of the application")
    assert "failed" not in caplog.text


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([{"type": "websocket.send", "text": "x"}], "websocket.accept"),
        ([{"type": "websocket.accept"}, {"type": "websocket.accept"}], "websocket.send"),
        ([{"type": "websocket.accept"}, {"type": "http.response.start", "status": 200}], "websocket.send"),
        ([{"type": "websocket.accept"}, {"type": "websocket.send"}], "without text and bytes"),
        (
            [{"type": "websocket.accept"}, {"type": "websocket.close"}, {"type": "websocket.send", "text": "x"}],
            "closed the",
        ),
        ([{"type": "websocket.close"}, {"type": "websocket.accept"}], "denied"),
        ([{"type": "websocket.http.response.start", "status": 400}, {"type": "websocket.accept"}], "response.body"),
        ([{"type": "websocket.http.response.body"}], "response.start"),
    ],
)
def test_messages_out_of_order_are_a_clear_error(messages, expected):
    errors = []

    @only_websocket
    async def application(scope, receive, send):
        await receive()
        try:
            for message in messages:
                await send(message)
        except RuntimeError as error:
            errors.append(str(error))
            raise

    with serve(application) as server:
        try:
            with connect(server.url()) as client:
                client.recv(10)
        except (ConnectionClosed, InvalidStatus):
            pass
        until(lambda: errors, "the error")
    assert expected in errors[0]


def test_an_unknown_subprotocol_is_an_error():
    @only_websocket
    async def application(scope, receive, send):
        await accept(receive, send, subprotocol="other")

    with serve(application) as server:
        assert refused(server, subprotocols=["one"]).status_code == 500


def test_a_peer_that_does_not_read_holds_up_its_sender_only():
    sent = []

    @only_websocket
    async def application(scope, receive, send):
        await accept(receive, send)
        if scope["path"] == "/":
            await send({"type": "websocket.send", "text": "other"})
            return
        for _ in range(500):
            await send({"type": "websocket.send", "bytes": bytes(100_000)})
            sent.append(1)

    with serve(application) as server:
        slow = server.open("/slow", max_size=None, max_queue=1, compression=None)
        until(lambda: sent, "the start")
        count = -1
        while count != len(sent):
            count = len(sent)
            threading.Event().wait(0.2)
        assert count < 300, "send() took 50 MB for a peer that reads nothing"
        with connect(server.url()) as other:
            assert other.recv(10) == "other"
        assert sum(len(message) for message in slow) == 50_000_000
        slow.close()


def test_messages_that_nobody_receives_are_not_read_from_the_socket():
    go = threading.Event()
    total = []

    @only_websocket
    async def application(scope, receive, send):
        await accept(receive, send)
        while not go.is_set():
            await asyncio.sleep(0.005)
        while (message := await receive())["type"] == "websocket.receive":
            total.append(len(message["bytes"]))

    with serve(application) as server, connect(server.url(), compression=None) as client:
        sent = 0
        client.socket.settimeout(None)

        def flood():
            nonlocal sent
            for _ in range(600):
                client.send(bytes(100_000))
                sent += 1

        thread = threading.Thread(target=flood, daemon=True)
        thread.start()
        count = -1
        while count != sent or not sent:
            count = sent
            threading.Event().wait(0.2)
        assert count < 300, "the server took 60 MB that nobody asked for"
        go.set()
        thread.join(30)
        until(lambda: len(total) == 600, "the rest")


def test_many_sockets_at_once():
    with serve(echo) as server:
        clients = [server.open() for _ in range(50)]
        for round in range(20):
            for number, client in enumerate(clients):
                client.send(f"{number} {round}")
            for number, client in enumerate(clients):
                assert client.recv(10) == f"{number} {round}"
        for client in clients:
            client.close()
        until(lambda: not server.stats()["connections"], "the end of all connections")
