"""The sync client: what it sends, what it gives back, what it keeps."""

import http.client
import io

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from orders import api

from django_rivet import Disconnected
from django_rivet.testing import Client, Denied


@pytest.fixture
def client(db):
    with Client() as client:
        yield client


def test_a_response(client):
    response = client.get("/facts", params={"a": "b c", "d": [1, 2]}, headers={"X-One": "1"})
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    assert response.json() == {"query": "a=b+c&d=1&d=2", "x": "1", "cookie": None}
    assert response.text.encode() == response.content
    assert repr(response) == "<Response 200 application/json>"
    assert client.get("/latin").text == "é"
    assert client.get("/nowhere").status_code == 404
    assert client.head("/facts").content == b""
    assert client.options("/facts").headers["allow"] == "GET, HEAD, OPTIONS"


def test_headers_of_the_client_go_along(db):
    with Client(headers={"X-One": "always"}) as client:
        assert client.get("/facts").json()["x"] == "always"
        assert client.get("/facts", headers={"x-one": "now"}).json()["x"] == "now"


def test_bodies(client):
    assert client.post("/orders", json={"title": "by json"}).json()["number"]
    as_json = {"Content-Type": "application/json"}
    assert client.post("/orders", content=b'{"title": "as it is"}', headers=as_json).status_code == 200
    assert client.get("/orders").json() == ["by json", "as it is"]
    got = client.post("/form", data={"a": "é &", "b": ["1", "2"]}).json()
    assert got == {"method": "POST", "data": {"a": ["é &"], "b": ["1", "2"]}, "files": {}}
    got = client.post("/form", data={"a": "1", "file": SimpleUploadedFile("a.txt", b"content")}).json()
    assert got == {"method": "POST", "data": {"a": ["1"]}, "files": {"file": "content"}}
    assert client.post("/form", data={"file": io.BytesIO(b"plain")}).json()["files"] == {"file": "plain"}
    assert [client.request(method, "/form").json()["method"] for method in ("PUT", "PATCH", "DELETE")]
    assert client.put("/form").json()["method"] == "PUT"
    assert client.patch("/form").json()["method"] == "PATCH"
    assert client.delete("/form").json()["method"] == "DELETE"
    with pytest.raises(TypeError, match="one body"):
        client.post("/form", json={}, data={})
    with pytest.raises(ValueError, match="starts with a slash"):
        client.get("orders")


def test_redirects(client):
    assert client.get("/moved/2").status_code == 302
    response = client.get("/moved/2", follow=True)
    assert response.text == "GET here"
    assert [each.headers["location"] for each in response.history] == ["/moved/1", "/moved/0"]
    assert client.post("/moved/1", follow=True).text == "GET here"
    assert client.post("/moved/1?status=307", content="x", follow=True).text == "POST here"
    again = client.post("/moved/1?status=307&to=/form", data={"a": "1"}, follow=True)
    assert again.json() == {"method": "POST", "data": {"a": ["1"]}, "files": {}}
    assert client.get("/away", follow=True).status_code == 302


def test_cookies(client):
    client.cookies["gone"] = "soon"
    response = client.get("/cookies")
    assert response.text == "gone"
    assert response.cookies["kept"].value == "1 2"
    assert client.get("/cookies").text == "kept"
    assert client.get("/facts").json()["cookie"] == 'kept="1 2"'


def test_users(client):
    user = User.objects.create_user("ann", password="secret")
    assert client.get("/whoami").json() == {"user": "", "visits": 1}
    client.force_login(user)
    assert client.get("/whoami").json()["user"] == "ann"
    assert client.get("/whoami").json()["visits"] == 3
    client.logout()
    assert client.get("/whoami").json() == {"user": "", "visits": 1}
    assert not client.login(username="ann", password="wrong")
    assert client.login(username="ann", password="secret")
    assert client.get("/whoami").json()["user"] == "ann"


def test_csrf_checks_are_by_choice(client, db):
    assert client.post("/form").status_code == 200
    with Client(enforce_csrf_checks=True) as strict:
        assert strict.post("/form").status_code == 403


@pytest.mark.parametrize(("path", "what"), [("/fails", "of a handler"), ("/broken", "of a view")])
def test_exceptions_come_to_the_test_or_are_500(client, path, what):
    for _ in range(2):
        with pytest.raises(KeyError, match=what):
            client.get(path)
    client.raise_exceptions = False
    assert client.get(path).status_code == 500
    client.raise_exceptions = True
    assert client.get("/facts").status_code == 200


@pytest.mark.parametrize("when", ["now", "later"])
def test_an_exception_amid_an_answer(client, when):
    with pytest.raises(KeyError, match="amid an answer"):
        client.get(f"/breaks/{when}")
    client.raise_exceptions = False
    with pytest.raises((http.client.HTTPException, OSError)):
        client.get(f"/breaks/{when}")


def test_an_answer_that_is_cut(client):
    with pytest.raises((http.client.HTTPException, OSError)):
        client.get("/cut")


def test_options_of_the_server(db):
    with Client(max_body=10) as client:
        assert client.post("/orders", content="x" * 11).status_code == 413


def test_events(client):
    with client.events("/orders/news") as events:
        first, second = events
    assert (first.data, first.event, first.id) == ("hello", "message", "")
    assert (second.data, second.event, second.id) == ("a\nb", "bye", "2")
    with pytest.raises(AssertionError, match="no event stream, but 200 application/json"), client.events("/facts"):
        pass


def test_a_stream_is_left(client):
    with client.events("/endless") as events:
        assert [next(events).json() for _ in range(3)] == [0, 1, 2]
        assert not api.left.is_set()
    assert api.left.wait(10)


def test_a_websocket(client):
    with client.websocket("/orders/echo") as socket:
        socket.send("text")
        assert socket.receive() == "text"
        socket.send(b"bytes")
        assert socket.receive() == b"bytes"
        socket.send_json({"a": 1})
        assert socket.receive_json() == {"a": 1}
        with pytest.raises(TimeoutError):
            socket.receive(timeout=0.01)
        socket.close(3000, "bye")
        with pytest.raises(Disconnected):
            socket.send("too late")


def test_the_end_of_a_websocket(client):
    with client.websocket("/chat", subprotocols=["chat"]) as socket:
        assert socket.subprotocol == "chat"
        socket.send("end")
        with pytest.raises(Disconnected) as ended:
            socket.receive()
    assert (ended.value.code, ended.value.reason) == (3001, "enough")


def test_a_websocket_that_is_denied(client):
    with pytest.raises(Denied) as caught, client.websocket("/chat", headers={"X-Denied": "1"}):
        pass
    response = caught.value.response
    assert (response.status_code, response.headers["X-Why"], response.text) == (401, "no", "go away")
    with pytest.raises(Denied, match="403"), client.websocket("/chat", origin="https://evil.test"):
        pass
    with client.websocket("/chat", origin="http://testserver"):
        pass


def test_parameters_of_a_websocket(client):
    with client.websocket("/tables/7", params={"seats": 4}, headers={"X-Name": "ada"}) as socket:
        assert socket.receive() == "ada at 7 of 4"
    with pytest.raises(Denied, match="422") as caught, client.websocket("/tables/x"):
        pass
    assert [each["name"] for each in caught.value.response.json()["errors"]] == ["number", "x-name"]
    with api.others.overrides({api.guest: lambda: "grace"}), client.websocket("/tables/7") as socket:
        assert socket.receive() == "grace at 7 of 2"


def test_an_exception_of_a_websocket(client):
    with pytest.raises(KeyError, match="of a socket"), client.websocket("/chat") as socket:
        socket.send("fail")
        socket.receive()
    client.raise_exceptions = False
    with pytest.raises(Disconnected) as ended, client.websocket("/chat") as socket:
        socket.send("fail")
        socket.receive()
    assert ended.value.code == 1011


def test_the_fixture(rivet_client, db):
    assert rivet_client.get("/orders").json() == []


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_users_of_native_handlers(client, kind):
    assert client.get(f"/me/{kind}").status_code == 401
    user = User.objects.create_user("ann", password="secret")
    client.force_login(user)
    assert client.get(f"/me/{kind}").text == "ann"
    assert client.post(f"/me/{kind}").text == "ann", "the token goes along"
    client.logout()
    assert client.get(f"/me/{kind}").status_code == 401
    assert client.login(username="ann", password="secret")
    assert client.get(f"/me/{kind}").text == "ann"


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_csrf_of_native_handlers(db, kind):
    with Client(enforce_csrf_checks=True) as client:
        client.force_login(User.objects.create_user("ann"))
        assert client.get(f"/me/{kind}").text == "ann"
        assert client.post(f"/me/{kind}").status_code == 403
