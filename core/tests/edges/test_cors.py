"""CORS of native routes, on a server."""

import contextlib
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from django_rivet import API, HTTPError, Request, Response, Stream, cors
from django_rivet.cors.checks import check_cors
from examples import DOCS, request
from serving import DEADLINE, problem, serving, until

PAGE = "https://app.example.com"
OTHER = "https://elsewhere.example"
release = threading.Event()
seen: list[str] = []
api = API()


@api.get("/plain")
async def plain() -> dict[str, bool]:
    return {"ok": True}


@api.get("/waits")
async def waits(request: Request) -> dict[str, bool]:
    import asyncio

    await asyncio.sleep(0.001)
    return {"ok": True}


@api.get("/thread", blocking=True)
def thread() -> str:
    return "ok"


@api.get("/stream")
async def stream() -> Stream:
    return Stream(iter([b"a", b"b"]))


@api.get("/own")
async def own() -> Response[str]:
    return Response("ok", headers={"Access-Control-Allow-Origin": "https://own.example", "Vary": "Cookie"})


@api.get("/fails/{status}")
async def fails(status: int) -> None:
    raise HTTPError(status)


@api.get("/holds", blocking=True)
def holds() -> None:
    seen.append("holds")
    assert release.wait(DEADLINE)


@api.get("/breaks")
async def breaks() -> None:
    raise RuntimeError("as wanted")


@api.post("/small", max_body=10)
async def small(request: Request) -> int:
    return len(request.body)


@contextlib.contextmanager
def sharing(max_in_flight: int = 50, **chosen: Any):  # type: ignore[no-untyped-def]
    """A client of a server with these settings of CORS."""
    with override_settings(**chosen):
        policy = cors.policy()
    with serving(api, policy=policy, max_in_flight=max_in_flight) as client:
        yield client


@pytest.fixture(scope="module")
def client():  # type: ignore[no-untyped-def]
    chosen = {"CORS_ALLOWED_ORIGINS": [PAGE], "CORS_EXPOSE_HEADERS": ["etag", "x-total"]}
    with sharing(**chosen) as client:
        yield client


def said(response: Any) -> dict[str, str]:
    """What an answer says of CORS."""
    return {
        name.removeprefix("access-control-"): value
        for name, value in response.headers.items()
        if name.startswith("access-control-")
    }


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/plain", 200),
        ("HEAD", "/plain", 200),
        ("GET", "/waits", 200),
        ("GET", "/thread", 200),
        ("GET", "/stream", 200),
        ("GET", "/fails/401", 401),
        ("GET", "/fails/404", 404),
        ("GET", "/fails/503", 503),
        ("GET", "/fails/x", 422),
        ("GET", "/breaks", 500),
        ("DELETE", "/plain", 405),
        ("OPTIONS", "/plain", 204),
    ],
)
def test_every_answer_may_be_read_by_an_allowed_origin_only(client, method, path, status):
    response = client.request(method, path, headers={"Origin": PAGE})
    assert response.status_code == status
    told = {"allow-origin": PAGE, "expose-headers": "etag, x-total"}
    assert {name: value for name, value in said(response).items() if name in told} == told
    assert response.headers["vary"] == "Origin"
    for headers in ({"Origin": OTHER}, {"Origin": f"{PAGE}.evil.example"}, {}):
        response = client.request(method, path, headers=headers)
        assert (response.status_code, said(response), response.headers["vary"]) == (status, {}, "Origin")


def test_a_server_that_is_full():
    with sharing(CORS_ALLOWED_ORIGINS=[PAGE], max_in_flight=1) as client, ThreadPoolExecutor(1) as thread:
        held = thread.submit(client.get, "/holds")
        try:
            until(lambda: seen, "the server is busy")
            response = client.get("/plain", headers={"Origin": PAGE})
        finally:
            release.set()
        assert problem(response, 503)["detail"] == "The server is busy: try again."
        assert (said(response)["allow-origin"], response.headers["retry-after"]) == (PAGE, "1")
        assert held.result().status_code == 204


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_refused(client, chunked):
    body = b"x" * 11
    response = client.post("/small", content=iter([body]) if chunked else body, headers={"Origin": PAGE})
    assert problem(response, 413)["detail"] == "the body is too large"
    assert said(response)["allow-origin"] == PAGE


def test_a_preflight_is_answered_before_any_handler(client):
    asked = {"Origin": PAGE, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-new"}
    response = client.options("/small", headers=asked)
    assert (response.status_code, response.content, response.headers["content-length"]) == (200, b"", "0")
    assert said(response) == {
        "allow-origin": PAGE,
        "expose-headers": "etag, x-total",
        "allow-methods": "DELETE, GET, OPTIONS, PATCH, POST, PUT",
        "allow-headers": "accept, authorization, content-type, user-agent, x-csrftoken, x-requested-with",
        "max-age": "86400",
    }
    refused = client.options("/small", headers=asked | {"Origin": OTHER})
    assert (refused.status_code, said(refused), refused.headers["vary"]) == (200, {}, "Origin")
    assert client.options("/nobody", headers=asked).status_code == 404


def test_what_a_handler_says_itself_is_left(client):
    response = client.get("/own", headers={"Origin": PAGE})
    assert said(response) == {"allow-origin": "https://own.example"}
    assert set(response.headers["vary"].split(", ")) == {"Cookie", "Origin"}


def test_every_origin():
    with sharing(CORS_ALLOW_ALL_ORIGINS=True) as client:
        assert said(client.get("/plain", headers={"Origin": OTHER})) == {"allow-origin": "*"}
        assert said(client.get("/plain")) == {}


@pytest.mark.parametrize("allowed", [{"CORS_ALLOW_ALL_ORIGINS": True}, {"CORS_ALLOWED_ORIGINS": [PAGE]}])
def test_credentials_never_come_with_a_star(allowed):
    with sharing(CORS_ALLOW_CREDENTIALS=True, **allowed) as client:
        told = {"allow-origin": PAGE, "allow-credentials": "true"}
        assert said(client.get("/plain", headers={"Origin": PAGE})) == told


def test_regular_expressions_and_paths():
    chosen: dict[str, Any] = {
        "CORS_ALLOWED_ORIGIN_REGEXES": [r"^https://\w+\.example\.org$", re.compile("HTTPS://UP.EXAMPLE$", re.I)],
        "CORS_URLS_REGEX": r"^/(plain|fails/4.*)$",
        "CORS_PREFLIGHT_MAX_AGE": 0,
        "CORS_ALLOW_METHODS": ["GET"],
        "CORS_ALLOW_PRIVATE_NETWORK": True,
    }
    with sharing(**chosen) as client:
        for origin, allowed in [
            ("https://a.example.org", True),
            ("https://b.example.org", True),
            ("https://up.example", True),
            ("https://a.example.org.evil.example", False),
        ] * 2:
            found = {"allow-origin": origin} if allowed else {}
            assert said(client.get("/plain", headers={"Origin": origin})) == found
        asked = {"Origin": "https://a.example.org", "Access-Control-Request-Method": "GET"}
        assert "vary" not in client.get("/thread", headers=asked).headers
        assert said(client.get("/fails/400", headers=asked))
        assert not said(client.get("/fails/500", headers=asked))
        private = client.options("/plain", headers=asked | {"Access-Control-Request-Private-Network": "true"})
        told = {"allow-origin", "allow-methods", "allow-headers", "allow-private-network"}
        assert said(private).keys() == told and said(private)["allow-methods"] == "GET"
        assert "allow-private-network" not in said(client.options("/plain", headers=asked))


def test_without_settings_nothing_is_said():
    assert cors.policy() is None
    with override_settings(CORS_ALLOW_CREDENTIALS=True):
        assert cors.policy() is None
    with serving(api) as client:
        asked = {"Origin": PAGE, "Access-Control-Request-Method": "POST"}
        for response in (client.get("/plain", headers=asked), client.options("/plain", headers=asked)):
            assert not said(response) and "vary" not in response.headers
        assert response.status_code == 204


@pytest.mark.parametrize(
    ("chosen", "id", "words"),
    [
        ({"CORS_ALLOWED_ORIGINS": "https://a.example"}, "E021", "a list of strings"),
        ({"CORS_ALLOWED_ORIGINS": [PAGE], "CORS_ALLOW_CREDENTIALS": "yes"}, "E021", "True or False"),
        ({"CORS_ALLOWED_ORIGINS": [PAGE], "CORS_PREFLIGHT_MAX_AGE": -1}, "E021", "seconds"),
        ({"CORS_ALLOWED_ORIGINS": ["a.example"]}, "E022", "https://a.example"),
        ({"CORS_ALLOWED_ORIGINS": ["https://a.example/"]}, "E022", "write https://a.example."),
        ({"CORS_ALLOWED_ORIGINS": ["https://A.example"]}, "E022", "write https://a.example."),
        ({"CORS_ALLOWED_ORIGINS": ["https://a.example:443"]}, "E022", "write https://a.example."),
        ({"CORS_ALLOWED_ORIGINS": ["*"]}, "E022", "CORS_ALLOW_ALL_ORIGINS = True"),
        ({"CORS_ALLOWED_ORIGINS": ["https://*.example"]}, "E022", "CORS_ALLOWED_ORIGIN_REGEXES"),
        ({"CORS_ALLOWED_ORIGIN_REGEXES": ["(a$"]}, "E023", "Python says"),
        ({"CORS_ALLOWED_ORIGINS": [PAGE], "CORS_EXPOSE_HEADERS": ["a b"]}, "E024", ""),
        (
            {"CORS_ALLOWED_ORIGINS": [PAGE], "CORS_ALLOW_HEADERS": ["*"], "CORS_ALLOW_CREDENTIALS": True},
            "E024",
            "Name what is allowed",
        ),
        ({"CORS_ALLOWED_ORIGIN": [PAGE]}, "W021", "CORS_ALLOWED_ORIGINS?"),
        ({"CORS_ALLOWED_ORIGINS": [PAGE], "CORS_ALLOW_ALL_ORIGINS": True}, "W022", "Leave"),
        ({"CORS_ALLOW_CREDENTIALS": True}, "W022", "CORS_ALLOWED_ORIGINS"),
        ({"CORS_ALLOW_ALL_ORIGINS": True, "CORS_ALLOW_CREDENTIALS": True}, "W023", "Name the origins"),
        ({"CORS_ALLOWED_ORIGIN_REGEXES": [r"^https://a\.example"]}, "W024", "$"),
        ({"CORS_ALLOWED_ORIGINS": [PAGE, "http://[::1]:8000", "null", "file://"]}, None, ""),
        ({"CORS_ORIGIN_WHITELIST": [PAGE]}, None, ""),
    ],
)
def test_checks(chosen, id, words):
    with override_settings(**chosen):
        found = check_cors(None)
        assert [each.id for each in found] == ([f"django_rivet.{id}"] if id else [])
        assert all(words in str(each.hint) for each in found)
        if id and id.startswith("E"):
            with pytest.raises(ImproperlyConfigured, match="CORS_"):
                cors.policy()


def test_the_examples_of_the_docs():
    page = (DOCS / "cors.md").read_text()
    settings, answers = re.findall(r"```(?:python)?\n(.*?)```", page, re.DOTALL)
    chosen: dict[str, Any] = {}
    exec(settings, chosen)
    items = API()
    items.get("/items")(plain)

    @items.get("/missing")
    async def missing() -> None:
        raise HTTPError(404)

    with override_settings(**{name: value for name, value in chosen.items() if name.startswith("CORS_")}):
        policy = cors.policy()
    lines = answers.strip().splitlines()
    with serving(items, policy=policy) as client:
        for line in lines:
            asked, answer = line.rsplit("  ", 1)
            name, value = answer.strip().split(": ")
            assert client.request(**request(asked.strip())).headers[name] == value, line
    assert len(lines) == 5
    told = dict(re.findall(r"^\| `(CORS_\w+)` \| (.*?) \|", page, re.MULTILINE))
    assert list(told) == list(cors.DEFAULTS)
    for name in ("CORS_ALLOW_METHODS", "CORS_ALLOW_HEADERS"):
        assert told[name] == ", ".join(cors.DEFAULTS[name])


def test_an_origin_is_taken_as_it_is_written():
    with override_settings(CORS_ALLOWED_ORIGIN_REGEXES=[r"^https://app\.example\.com$"]):
        policy = cors.policy()
    with serving(api, policy=policy) as client:
        for origin, allowed in ((PAGE, True), (PAGE.replace("app", "%61pp"), False)):
            answer = client.get("/plain", headers={"Origin": origin})
            assert ("access-control-allow-origin" in answer.headers) == allowed
