"""Native WebSockets, on the servers that can have any."""

import contextlib
import json

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from three import until

pytestmark = pytest.mark.usefixtures("three")


def test_an_echo(socket_server):
    with connect(socket_server.socket("/echo/caf%C3%A9"), max_size=None) as client:
        assert client.response.headers["x-one"] == "1"
        assert client.recv(10) == "café"
        for message in ("text", b"bytes", "x" * 1_000_000):
            client.send(message)
            assert client.recv(10) == message
        client.close(3000, "bye")
    until(lambda: "socket café 3000 bye" in socket_server.seen("socket"), "on_disconnect")


def test_a_subprotocol(socket_server):
    with connect(socket_server.socket("/echo/x"), subprotocols=["other", "chat"]) as client:
        assert client.subprotocol == "chat"


def test_a_broadcast(socket_server):
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(connect(socket_server.socket("/room"))) for _ in range(5)]
        for client in clients:
            client.send("hello")
            while client.recv(10) != "hello":
                pass
        clients[0].send(b"one for all")
        for client in clients:
            while client.recv(10) != b"one for all":
                pass


@pytest.mark.parametrize(
    ("path", "status"),
    [("/denied", 401), ("/forgotten", 403), ("/breaks/early", 500), ("/nowhere", 404), ("/items/5", 404)],
)
def test_handshakes_that_are_refused(socket_server, path, status):
    with pytest.raises(InvalidStatus) as caught, connect(socket_server.socket(path)):
        pass
    if (socket_server.name, path) == ("runrivet", "/items/5"):
        status = 200  # an ordinary GET, for a path that has a handler for it
    assert caught.value.response.status_code == status


def test_what_a_refusal_says(socket_server):
    with pytest.raises(InvalidStatus) as caught, connect(socket_server.socket("/denied")):
        pass
    assert (caught.value.response.headers["x-why"], caught.value.response.body) == ("no", b"go away")


def test_parameters_and_providers(socket_server):
    with connect(socket_server.socket("/seats/7?row=3"), additional_headers={"X-Name": "ada"}) as client:
        assert client.recv(10) == "ada at /seats/7: 10"
    until(lambda: "seat of ada left" in socket_server.seen("seat"), "the provider's end")


@pytest.mark.parametrize(
    ("path", "name", "status", "says"),
    [
        ("/seats/x?row=y", "ada", 422, [("path", "number"), ("query", "row")]),
        ("/seats/7", "nobody", 409, "There is no seat for nobody."),
    ],
)
def test_what_is_wrong_refuses_the_handshake(socket_server, path, name, status, says):
    headers = {"X-Name": name}
    with pytest.raises(InvalidStatus) as caught, connect(socket_server.socket(path), additional_headers=headers):
        pass
    response = caught.value.response
    problem = json.loads(response.body)
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    if isinstance(says, list):
        assert [(each["in"], each["name"]) for each in problem["errors"]] == says
    else:
        assert problem["detail"] == says


@pytest.mark.parametrize(("origin", "allowed"), [("http://127.0.0.1", True), ("https://evil.test", False)])
def test_the_origin_is_looked_at(socket_server, origin, allowed):
    if allowed:
        with connect(socket_server.socket("/echo/x"), origin=origin) as client:
            assert client.recv(10) == "x"
    else:
        with pytest.raises(InvalidStatus) as caught, connect(socket_server.socket("/echo/x"), origin=origin):
            pass
        assert caught.value.response.status_code == 403


@pytest.mark.parametrize(("path", "code", "reason"), [("/breaks", 1011, ""), ("/ends", 3001, "enough")])
def test_the_end_of_a_handler_closes(socket_server, path, code, reason):
    with connect(socket_server.socket(path)) as client, pytest.raises(ConnectionClosed) as caught:
        for _ in range(2):
            client.recv(10)
    assert (caught.value.rcvd.code, caught.value.rcvd.reason) == (code, reason)
    if path == "/ends":
        until(lambda: "socket ends True" in socket_server.seen("socket"), "what the handler sees")


def test_wsgi_says_that_it_cannot(servers):
    with pytest.raises(InvalidStatus) as caught, connect(servers("gunicorn").socket("/echo/x")):
        pass
    assert caught.value.response.status_code == 501
    assert b"WebSockets need runrivet or an ASGI server" in caught.value.response.body
