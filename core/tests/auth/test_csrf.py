"""Requests that a cookie identifies, and that may come from another site's page."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParserError
from django.middleware.csrf import CsrfViewMiddleware
from django.test import override_settings

from django_rivet import API, Anonymous, APIKeyAuth, BearerAuth, Request, SessionAuth, csrf_token
from serving import another, log_in, problem, serving

ran: list[str] = []


def check(token: str) -> User | None:
    return User.objects.get(username="ada") if token == "right" else None


class Order(msgspec.Struct):
    count: int = 1


api = API(auth=[SessionAuth(), BearerAuth(check), APIKeyAuth(check)])


@api.post("/sync")
@api.put("/sync")
@api.delete("/sync")
@api.patch("/sync")
@api.get("/sync")
def act() -> str:
    ran.append("sync")
    return "done"


@api.post("/async")
async def act_async(order: Order) -> int:
    ran.append("async")
    return order.count


@api.post("/form")
def act_form(request: Request) -> str:
    return request.django.POST["name"]


@api.post("/open", csrf=False)
async def act_open(request: Request) -> str:
    return str(request.session.get_expiry_age() > 0)


@api.post("/open/plain", csrf=False)
def act_open_plain() -> str:
    return "True"


@api.post("/kept/token", auth=BearerAuth(check))
@api.post("/kept")
def kept(request: Request) -> str:
    request.session["x"] = 1
    return str(request.django.user)


@api.post("/lazy/session", auth=None)
def lazy_session(request: Request) -> str:
    request.session["x"] = 1
    ran.append("lazy")
    return "done"


@api.post("/lazy/user", auth=None)
async def lazy_user(request: Request) -> str:
    name: str = (await request.auser()).get_username()
    ran.append("lazy")
    return name


@api.post("/lazy/again", auth=None)
def lazy_again(request: Request) -> str:
    """Cannot get round the check by asking again."""
    for _ in range(2):
        try:
            request.session["x"] = 1
        except Exception as error:
            refused = error
    raise refused


@api.post("/lazy/goes-on", auth=None)
def lazy_goes_on(request: Request) -> str:
    """Nor by a form that the check cannot read."""
    try:
        request.session["x"] = 1
    except MultiPartParserError:
        request.session["x"] = 2
    ran.append("lazy")
    return "done"


@api.post("/stranger", auth=[SessionAuth(), Anonymous()])
def stranger(request: Request) -> str:
    return "in"


@api.post("/plain", auth=None)
def plain(request: Request) -> str:
    return str(request.django.build_absolute_uri())


@api.get("/token", auth=None)
def token(request: Request) -> str:
    return csrf_token(request)


@pytest.fixture(scope="module")
def site() -> Iterator[Any]:
    with serving(api) as client:
        yield client


@pytest.fixture
def client(site: Any) -> Iterator[Any]:
    ran.clear()
    with another(site.base_url) as client:
        yield client


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_session_needs_a_token(client, ada, method):
    token = log_in(client, ada)
    refused = problem(client.request(method, "/sync"), 403)
    assert refused["detail"] == (
        "CSRF token missing. Send the CSRF token in the field X-Csrftoken, or as csrfmiddlewaretoken in a form."
    )
    assert ran == []
    assert client.request(method, "/sync", headers={"X-CSRFToken": token}).text == "done"


def test_what_changes_nothing_needs_none(client, ada):
    log_in(client, ada)
    assert client.get("/sync").text == "done"
    assert client.head("/sync").status_code == 200


def test_before_an_async_handler(client, ada):
    token = log_in(client, ada)
    problem(client.post("/async", json={"count": 2}), 403)
    assert ran == []
    assert client.post("/async", json={"count": 2}, headers={"X-CSRFToken": token}).json() == 2


@pytest.mark.parametrize("files", [None, {"file": b"x" * 100_000}])
def test_the_token_in_a_form(client, ada, files):
    token = log_in(client, ada)
    problem(client.post("/form", data={"name": "x"}, files=files), 403)
    sent = {"name": "x", "csrfmiddlewaretoken": token}
    assert client.post("/form", data=sent, files=files).text == "x"


@pytest.mark.parametrize(
    ("headers", "cookie", "reason"),
    [
        ({"X-CSRFToken": "b" * 32}, "a" * 32, "CSRF token from the 'X-Csrftoken' HTTP header incorrect."),
        ({"X-CSRFToken": "short"}, "a" * 32, "CSRF token from the 'X-Csrftoken' HTTP header has incorrect length."),
        ({"X-CSRFToken": "a" * 32}, None, "CSRF cookie not set."),
        ({"X-CSRFToken": "a" * 32, "Origin": "https://evil.test"}, "a" * 32, "Origin checking failed"),
    ],
)
def test_why_not(client, ada, headers, cookie, reason):
    log_in(client, ada)
    client.cookies.delete("csrftoken")
    if cookie:
        client.cookies.set("csrftoken", cookie)
    assert problem(client.post("/sync", headers=headers), 403)["detail"].startswith(reason)


def test_origins(client, ada):
    token = log_in(client, ada)
    headers = {"X-CSRFToken": token, "Origin": str(client.base_url).rstrip("/")}
    assert client.post("/sync", headers=headers).status_code == 200
    headers["Origin"] = "https://shop.test"
    problem(client.post("/sync", headers=headers), 403)
    with override_settings(CSRF_TRUSTED_ORIGINS=["https://shop.test"]):
        assert client.post("/sync", headers=headers).status_code == 200


def test_over_https_the_referer_counts(client, ada):
    token = log_in(client, ada)
    with override_settings(SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https")):
        headers = {"X-CSRFToken": token, "X-Forwarded-Proto": "https"}
        assert "Referer" in problem(client.post("/sync", headers=headers), 403)["detail"]
        headers["Referer"] = str(client.base_url).replace("http:", "https:")
        assert client.post("/sync", headers=headers).status_code == 200


@pytest.mark.parametrize("headers", [{"Authorization": "Bearer right"}, {"X-API-Key": "right"}])
def test_tokens_and_keys_need_none(client, headers):
    assert client.post("/sync", headers=headers).text == "done"
    assert client.post("/async", json={}, headers=headers).json() == 1
    assert client.post("/kept", headers=headers).text == "ada"
    if "Authorization" in headers:
        assert client.post("/kept/token", headers=headers).text == "ada"


def test_the_check_is_taken_off_a_route(client, ada):
    log_in(client, ada)
    assert client.post("/open").text == "True"
    assert client.post("/open/plain").text == "True"


@pytest.mark.parametrize("path", ["/lazy/session", "/lazy/user", "/lazy/again"])
def test_who_asks_for_the_session_is_checked(client, ada, path):
    token = log_in(client, ada)
    problem(client.post(path), 403)
    assert ran == []
    if path != "/lazy/again":
        assert client.post(path, headers={"X-CSRFToken": token}).status_code == 200


def test_a_check_that_fails_is_not_passed(client, ada):
    log_in(client, ada)
    form = {"Content-Type": "multipart/form-data"}  # without a boundary
    assert "token missing" in problem(client.post("/lazy/goes-on", content=b"x", headers=form), 403)["detail"]
    assert ran == []


def test_who_does_not_is_not(client):
    assert client.post("/plain").text == str(client.base_url.join("/plain"))
    assert client.post("/stranger").text == "in"


def test_a_page_gets_its_token(client, ada):
    log_in(client, ada)
    client.cookies.delete("csrftoken")
    answer = client.get("/token")
    assert answer.headers["vary"] == "Cookie"
    assert client.post("/sync", headers={"X-CSRFToken": answer.text}).status_code == 200
    assert client.post("/sync", headers={"X-CSRFToken": client.cookies["csrftoken"]}).status_code == 200
    secret = client.cookies["csrftoken"]
    client.get("/token")
    assert client.cookies["csrftoken"] == secret, "pages that are open keep theirs"


@override_settings(CSRF_USE_SESSIONS=True)
def test_the_token_in_the_session(client, ada):
    log_in(client, ada)
    problem(client.post("/sync"), 403)
    token = client.get("/token").text
    for path in ("/sync", "/lazy/session", "/lazy/user"):
        assert client.post(path, headers={"X-CSRFToken": token}).status_code == 200
    assert client.post("/async", json={}, headers={"X-CSRFToken": token}).status_code == 200
    assert client.post("/sync", headers={"X-CSRFToken": client.get("/token").text}).status_code == 200


@override_settings(CSRF_COOKIE_NAME="other", CSRF_HEADER_NAME="HTTP_X_OTHER")
def test_other_names(client, ada):
    token = log_in(client, ada)
    assert "X-Other" in problem(client.post("/sync", headers={"X-CSRFToken": token}), 403)["detail"]
    assert client.post("/sync", headers={"X-Other": token}).status_code == 200


class Strict(CsrfViewMiddleware):
    """A project's own."""

    def process_view(self, request: HttpRequest, callback: Any, args: Any, kwargs: Any) -> Any:
        if "HTTP_X_STRICT" not in request.META:
            return self._reject(request, "Not strict enough.")
        return super().process_view(request, callback, args, kwargs)


@override_settings(MIDDLEWARE=[f"{__name__}.Strict"])
def test_the_projects_own_middleware_decides(client, ada):
    token = log_in(client, ada)
    assert "Not strict enough" in problem(client.post("/sync", headers={"X-CSRFToken": token}), 403)["detail"]
    assert client.post("/sync", headers={"X-CSRFToken": token, "X-Strict": "1"}).status_code == 200
