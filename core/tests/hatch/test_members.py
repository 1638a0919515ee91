"""Users, sessions, CSRF and permissions of native handlers are the same on three servers."""

import gzip
import http.cookies
import json

import pytest
from django.contrib.auth import login
from django.contrib.sessions.backends.signed_cookies import SessionStore
from django.http import HttpRequest
from django.test import Client
from django.test.utils import override_settings
from shop.members import USERS
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

pytestmark = pytest.mark.usefixtures("three")
KINDS = ["sync", "async", "suspends"]
TOKEN = "a" * 32


@pytest.fixture(scope="module")
def session() -> str:
    """A session of ada's, as another process may have made it."""
    request = HttpRequest()
    request.session = SessionStore()
    login(request, USERS[1], "shop.members.Members")
    request.session.save()
    return str(request.session.session_key)


def cookies(response):
    """The cookies that an answer sets; each of them once."""
    lines = response.headers.get_all("set-cookie", [])
    jar = http.cookies.SimpleCookie()
    for line in lines:
        jar.load(line)
    assert len(jar) == len(lines), lines
    return {name: morsel.value for name, morsel in jar.items()}


def sent(**values):
    return "; ".join(f"{name}={value}" for name, value in values.items())


@pytest.mark.parametrize("kind", KINDS)
def test_who_it_is(server, session, kind):
    response, body = server.get(f"/members/{kind}")
    assert (response.status, response.headers["content-type"]) == (401, "application/problem+json")
    assert response.headers["www-authenticate"] == "Bearer" and json.loads(body)["detail"] == "Say who you are."
    response, body = server.get(f"/members/{kind}", headers={"Cookie": sent(sessionid=session)})
    assert (response.status, body, response.headers["vary"]) == (200, b"ada", "Cookie")
    assert server.get(f"/members/{kind}", headers={"Authorization": "Bearer grace"})[1] == b"grace"
    response, _ = server.get(f"/members/{kind}", headers={"Authorization": "Bearer x"})
    assert (response.status, response.headers["www-authenticate"]) == (401, 'Bearer error="invalid_token"')


@pytest.mark.parametrize("path", [*KINDS, "lazy/sync", "lazy/async"])
def test_csrf(server, session, path):
    cookie = sent(sessionid=session, csrftoken=TOKEN)
    response, body = server.get(f"/members/{path}", "POST", headers={"Cookie": cookie})
    assert response.status == 403 and json.loads(body)["detail"].startswith("CSRF token missing. Send the CSRF token")
    headers = {"Cookie": cookie, "X-CSRFToken": TOKEN}
    assert server.get(f"/members/{path}", "POST", headers=headers)[1] == b"ada"
    form = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
    assert server.get(f"/members/{path}", "POST", body=f"csrfmiddlewaretoken={TOKEN}", headers=form)[1] == b"ada"
    assert server.get(f"/members/{path}", "POST", headers=headers | {"Origin": "https://evil.test"})[0].status == 403


def test_tokens_need_no_csrf(server):
    assert server.get("/members/sync", "POST", headers={"Authorization": "Bearer ada"})[1] == b"ada"


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_the_lazy_user(server, session, kind):
    assert server.get(f"/members/lazy/{kind}")[1] == b"nobody"
    assert server.get(f"/members/lazy/{kind}", headers={"Cookie": sent(sessionid=session)})[1] == b"ada"


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_permissions(server, kind):
    response, body = server.get(f"/members/staff/{kind}", headers={"Authorization": "Bearer ada"})
    assert (response.status, json.loads(body)["detail"]) == (403, "This is for staff only.")
    assert server.get(f"/members/staff/{kind}", headers={"Authorization": "Bearer grace"})[1] == b"staff"
    assert server.get(f"/members/staff/{kind}")[0].status == 401


@pytest.mark.parametrize("kind", ["sync", "async", "stream"])
def test_the_session_is_kept(server, kind):
    response, body = server.get(f"/members/visits/{kind}")
    assert body == b"1"
    kept = cookies(response)
    assert set(kept) == {"sessionid"}
    assert server.get(f"/members/visits/{kind}", headers={"Cookie": sent(**kept)})[1] == b"2"


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_login(server, kind):
    response, token = server.get("/members/token")
    kept = cookies(response)
    assert server.get(f"/members/login/{kind}", "POST", headers={"Cookie": sent(**kept)})[0].status == 403
    headers = {"Cookie": sent(**kept), "X-CSRFToken": token.decode()}
    response, body = server.get(f"/members/login/{kind}", "POST", headers=headers)
    assert (response.status, body) == (201, b"ada")
    now = cookies(response)
    assert set(now) == {"sessionid", "csrftoken"} and now["csrftoken"] != kept["csrftoken"]
    assert server.get("/members/async", headers={"Cookie": sent(**now)})[1] == b"ada"


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_throttling(server, kind):
    path, headers = f"/members/often/{kind}", {"X-Who": "me"}
    answers = [server.get(path, headers=headers)[0] for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 429]
    assert [answer.headers["ratelimit"].partition(";t=")[0] for answer in answers] == [
        '"2/day";r=1', '"2/day";r=0', '"2/day";r=0',
    ]  # fmt: skip
    assert {answer.headers["ratelimit-policy"] for answer in answers} == {'"2/day";q=2;w=86400'}
    assert server.get(path, headers={"X-Who": "you"})[0].status == 200


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_middleware_of_its_own(server, kind):
    headers = {"Accept-Encoding": "gzip", "X-One": "1"}
    response, body = server.get(f"/members/chain/{kind}", headers=headers)
    assert (response.status, response.headers["content-encoding"]) == (200, "gzip")
    assert gzip.decompress(body) == b"to be compressed " * 100 + b"1"
    assert response.headers["content-length"] == str(len(body))


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_pages(server, kind):
    path = f"/members/pages/{kind}"
    first = json.loads(server.get(path)[1])
    assert first == {"items": [1, 2], "count": 3, "next": f"{path}?page=2&size=2", "previous": None}
    assert json.loads(server.get(first["next"])[1])["items"] == [3]


def test_a_transaction(server):
    assert server.get("/members/atomic")[1] == b"true"


def test_websockets(socket_server, session):
    with pytest.raises(InvalidStatus) as refused, connect(socket_server.socket("/members/socket")):
        pass
    assert refused.value.response.status_code == 401
    cookie = {"Cookie": sent(sessionid=session)}
    for headers in (cookie, {"Authorization": "Bearer ada"}):
        with connect(socket_server.socket("/members/socket"), additional_headers=headers) as client:
            assert client.recv(10) == "ada"


@override_settings(MIDDLEWARE=[])
@pytest.mark.parametrize("kind", ["sync", "async", "stream"])
def test_without_the_projects_middleware(session, kind):
    client = Client()
    for number in ("1", "2"):
        response = client.get(f"/members/visits/{kind}")
        body = b"".join(response.streaming_content) if response.streaming else response.content
        assert body.decode() == number and response.headers["vary"] == "Cookie"
    client.cookies["sessionid"] = session
    assert client.get("/members/sync").content == b"ada"
    assert (
        Client(enforce_csrf_checks=True, headers={"Cookie": sent(sessionid=session)}).post("/members/sync").status_code
        == 403
    )


def test_djangos_client_is_not_checked(session):
    """As it is not where views are."""
    client = Client()
    client.cookies["sessionid"] = session
    assert client.post("/members/sync").content == b"ada"
