"""Django's middleware around one API's handlers."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.middleware.gzip import GZipMiddleware
from django.test import override_settings
from django.utils.decorators import sync_and_async_middleware

from django_rivet import API, EventStream, HTTPError, Request, Router, SessionAuth, Stream
from serving import another, log_in, problem, serving

seen: list[str] = []


def stamped(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """As people write them."""

    def middleware(request: HttpRequest) -> HttpResponse:
        seen.append(f"{request.method} {request.path}")
        if "HTTP_X_STOP" in request.META:
            return HttpResponse("stopped", status=418)
        response = get_response(request)
        response["X-Stamp"] = str(response.status_code)
        return response

    return middleware


@sync_and_async_middleware
def both(get_response: Any) -> Any:
    """For either kind."""
    if asyncio.iscoroutinefunction(get_response):

        async def later(request: HttpRequest) -> HttpResponse:
            response: HttpResponse = await get_response(request)
            response["X-Way"] = "async"
            return response

        return later

    def at_once(request: HttpRequest) -> HttpResponse:
        response: HttpResponse = get_response(request)
        response["X-Way"] = "sync"
        return response

    return at_once


api = API("/chain", middleware=[GZipMiddleware, f"{__name__}.stamped", both])
plain = Router("/plain", middleware=[])
api.include(plain)
TEXT = "to be compressed " * 100


@api.get("/sync/{name}")
@api.post("/sync/{name}")
def sync(request: Request, name: str) -> dict[str, Any]:
    return {"name": name, "body": len(request.body), "text": TEXT}


@api.get("/bare")
def bare() -> str:
    return TEXT


@api.get("/async/{name}")
@api.post("/async/{name}")
async def async_(request: Request, name: str) -> dict[str, Any]:
    await asyncio.sleep(0)
    return {"name": name, "body": len(request.body), "text": TEXT}


@api.get("/typed/{id}")
async def typed(id: int, full: bool = False) -> list[object]:
    return [id, full]


@api.get("/wrong/sync")
def wrong() -> None:
    raise HTTPError(409, "That does not go.")


@api.get("/wrong/async")
async def wrong_async() -> None:
    raise HTTPError(409, "That does not go.")


@api.get("/broken/sync")
def broken() -> None:
    raise KeyError("secret")


@api.get("/stream/sync")
def stream() -> Stream:
    return Stream(["one ", "two"])


@api.get("/stream/async")
async def stream_async() -> EventStream:
    async def events() -> AsyncIterator[str]:
        yield "one"
        await asyncio.sleep(0.001)
        yield "two"

    return EventStream(events())


@plain.get("/none")
def none() -> str:
    return TEXT


SESSIONS = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
sessions = API("/sessions", middleware=SESSIONS, auth=SessionAuth())


@sessions.get("/sync")
@sessions.post("/sync")
def visit(request: Request) -> str:
    request.session["visits"] = request.session.get("visits", 0) + 1
    return f"{request.user.username} {request.session['visits']}"


@sessions.get("/async")
@sessions.post("/async")
async def visit_async(request: Request) -> str:
    await request.session.aset("visits", await request.session.aget("visits", 0) + 1)
    return f"{request.user.username} {await request.session.aget('visits')}"


guarded = API("/guarded", middleware=["django.middleware.csrf.CsrfViewMiddleware"])


@guarded.post("/sync")
def upload(request: Request) -> int:
    return len(request.body)


@guarded.post("/async")
async def upload_async(request: Request) -> int:
    return len(request.body)


async def seen_later() -> str:
    return "seen"


SEEN: dict[str, Callable[[], Any]] = {"sync": lambda: "seen", "async": seen_later}


class Joined:
    """Several APIs, as the discovery has them."""

    routes = [route for each in (api, sessions, guarded) for route in each.routes]


@pytest.fixture(scope="module")
def site() -> Iterator[Any]:
    with serving(Joined()) as client:  # type: ignore[arg-type]
        yield client


@pytest.fixture
def client(site: Any) -> Iterator[Any]:
    seen.clear()
    with another(site.base_url) as client:
        yield client


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_they_see_requests_and_answers(client, kind):
    answer = client.get(f"/chain/{kind}/x%2Fy")
    assert answer.json() == {"name": "x/y", "body": 0, "text": TEXT}
    assert answer.headers["content-encoding"] == "gzip" and answer.headers["vary"] == "Accept-Encoding"
    assert (answer.headers["x-stamp"], answer.headers["x-way"]) == ("200", kind)
    assert answer.headers["content-type"] == "application/json"
    assert seen == [f"GET /chain/{kind}/x/y"]
    assert client.post(f"/chain/{kind}/x", content=b"x" * 3_000_000).json()["body"] == 3_000_000
    head = client.head(f"/chain/{kind}/x")
    assert (head.status_code, head.content, head.headers["x-stamp"]) == (200, b"", "200")


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_they_answer_themselves(client, kind):
    answer = client.get(f"/chain/{kind}/x", headers={"X-Stop": "1"})
    assert (answer.status_code, answer.text) == (418, "stopped") and "x-way" not in answer.headers


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_errors(client, kind):
    answer = client.get(f"/chain/wrong/{kind}")
    assert problem(answer, 409)["detail"] == "That does not go." and answer.headers["x-stamp"] == "409"


def test_a_failure(client, caplog):
    answer = client.get("/chain/broken/sync")
    assert problem(answer, 500) and "secret" not in answer.text and answer.headers["x-stamp"] == "500"
    assert caplog.text.count("KeyError: 'secret'") == 1


@pytest.mark.parametrize(("kind", "text"), [("sync", "one two"), ("async", "data: one\n\ndata: two\n\n")])
def test_streams(client, kind, text):
    # Django 5.2 compresses each part for itself, which this client does not undo.
    answer = client.get(f"/chain/stream/{kind}", headers={"Accept-Encoding": "identity"})
    assert (answer.text, answer.headers["x-stamp"]) == (text, "200")


def test_who_has_none_is_as_before(client):
    answer = client.get("/chain/plain/none")
    assert "content-encoding" not in answer.headers and seen == []
    assert none in [route.handler for route in api.routes]


def test_a_handler_without_a_request(client):
    assert client.get("/chain/bare").text == TEXT
    assert client.get("/chain/typed/7?full=true").json() == [7, True]
    assert client.get("/chain/typed/x").status_code == 422


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_their_session_is_the_handlers(client, kind, ada):
    problem(client.get(f"/sessions/{kind}"), 401)
    token = log_in(client, ada)
    assert client.get(f"/sessions/{kind}").text == "ada 1"
    answer = client.get(f"/sessions/{kind}")
    assert answer.text == "ada 2" and len(answer.headers.get_list("set-cookie")) == 1
    problem(client.post(f"/sessions/{kind}"), 403)
    assert client.post(f"/sessions/{kind}", headers={"X-CSRFToken": token}).text == "ada 3"


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_csrf_for_all(client, kind, ada):
    assert client.post(f"/guarded/{kind}", files={"file": b"x" * 1000}).status_code == 403
    token = log_in(client, ada)
    sent = client.build_request(
        "POST", f"/guarded/{kind}", files={"file": b"x" * 1000}, data={"csrfmiddlewaretoken": token}
    )
    sent.read()
    assert client.send(sent).json() == len(sent.content) > 1000


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_what_security_middleware_does_is_by_choice(kind):
    """A native handler has no redirect to https of its own, and no field that SecurityMiddleware adds."""
    chosen = API(f"/{kind}", middleware=["django.middleware.security.SecurityMiddleware"])
    bare = Router("/bare", middleware=[])
    for router in (chosen, bare):
        router.get("")(SEEN[kind])
    chosen.include(bare)
    with (
        override_settings(SECURE_SSL_REDIRECT=True, SECURE_HSTS_SECONDS=60),
        serving(chosen, trusted_proxies="127.0.0.1") as client,
    ):
        answer = client.get(f"/{kind}")
        assert (answer.status_code, answer.headers["location"][:8]) == (301, "https://")
        answer = client.get(f"/{kind}", headers={"X-Forwarded-Proto": "https"})
        assert (answer.text, answer.headers["strict-transport-security"]) == ("seen", "max-age=60")
        assert answer.headers["x-content-type-options"] == "nosniff"
        answer = client.get(f"/{kind}/bare")
        assert answer.text == "seen" and "x-content-type-options" not in answer.headers


@pytest.mark.parametrize("host", ["127.0.0.1", "elsewhere.example"])
def test_the_host_is_looked_at_where_it_is_used(host):
    hosts = API("/hosts")
    hosts.get("/used")(lambda request: request.django.build_absolute_uri("/"))
    hosts.get("/unused")(SEEN["sync"])
    with serving(hosts) as client:
        assert client.get("/hosts/unused", headers={"Host": host}).text == "seen"
        answer = client.get("/hosts/used", headers={"Host": host})
        if host == "127.0.0.1":
            assert answer.text == "http://127.0.0.1/"
        else:
            problem(answer, 400)


def test_mistakes():
    for middleware, said in (
        (["django.nothing.Here"], "No module named 'django.nothing'"),
        ("django.middleware.gzip.GZipMiddleware", "give a list of names or classes"),
        ([type("Local", (), {"__module__": "nowhere"})], "nowhere"),
    ):
        made = API(middleware=middleware)
        made.get("/")(lambda: None)
        with pytest.raises(TypeError, match=said):
            _ = made.routes
