"""Errors: problem details, exception handlers, what Django's exceptions mean, the debug page."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from django.core.exceptions import (
    BadRequest,
    ObjectDoesNotExist,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    ValidationError,
)
from django.http import Http404, HttpResponse
from django.test import override_settings

from django_rivet import API, HTTPError, Request, Response, Router, Stream
from serving import problem, serving


def raising(error: Exception, kind: str) -> Any:
    def plain() -> None:
        raise error

    async def ready() -> None:
        raise error

    async def suspends() -> None:
        await asyncio.sleep(0)
        raise error

    async def wants(request: Request) -> None:
        raise error

    return {"def": plain, "pool": plain, "async": ready, "suspends": suspends, "request": wants}[kind]


KINDS = ["def", "pool", "async", "suspends", "request"]


@pytest.mark.parametrize("kind", KINDS)
def test_http_errors(kind):
    error = HTTPError(
        402, "Pay.", title="No money", type="https://example.com/money", headers={"X-One": "1"}, balance=-3
    )
    api = API()
    api.get("/", **({"blocking": True} if kind == "pool" else {}))(raising(error, kind))
    with serving(api) as client:
        for _ in range(12):
            answer = client.get("/")
            assert problem(answer, 402) == {
                "type": "https://example.com/money",
                "title": "No money",
                "status": 402,
                "detail": "Pay.",
                "balance": -3,
            }
            assert answer.headers["x-one"] == "1"
        assert client.head("/").status_code == 402


@pytest.mark.parametrize("kind", KINDS)
def test_a_failure_tells_nothing_and_is_logged(kind, caplog):
    api = API()
    api.get("/")(raising(KeyError("secret"), kind))
    with serving(api) as client:
        assert problem(client.get("/"), 500) == {
            "type": "about:blank",
            "title": "Internal Server Error",
            "status": 500,
        }
    (record,) = [each for each in caplog.records if each.name == "django_rivet"]
    assert record.levelno == logging.ERROR and isinstance(record.exc_info[1], KeyError)


@pytest.mark.parametrize(
    ("error", "status", "detail"),
    [
        (Http404("No such book."), 404, "No such book."),
        (ObjectDoesNotExist("Book 7 of shelf 3"), 404, None),
        (PermissionDenied("Not yours."), 403, "Not yours."),
        (PermissionDenied(), 403, None),
        (BadRequest("Nonsense."), 400, "Nonsense."),
        (SuspiciousOperation("secret"), 400, None),
        (RequestDataTooBig("Too much."), 413, "Too much."),
    ],
)
def test_djangos_exceptions(error, status, detail):
    api = API()
    api.get("/")(raising(error, "async"))
    with serving(api) as client:
        assert problem(client.get("/"), status).get("detail") == detail


def test_djangos_validation_errors():
    api = API()
    api.get("/fields")(raising(ValidationError({"name": ["Too short."], "__all__": ["Never."]}), "def"))
    api.get("/one")(raising(ValidationError("Wrong."), "def"))
    with serving(api) as client:
        assert problem(client.get("/fields"), 422)["errors"] == [
            {"in": "body", "pointer": "#/name", "detail": "Too short."},
            {"in": "body", "pointer": "#", "detail": "Never."},
        ]
        assert problem(client.get("/one"), 422)["errors"] == [{"in": "body", "pointer": "#", "detail": "Wrong."}]


def test_what_the_engine_answers_itself():
    api = API()
    api.get("/")(raising(KeyError(), "async"))
    with serving(api, max_body=1000) as client:
        answer = client.post("/", content=b"x")
        assert problem(answer, 405)["title"] == "Method Not Allowed"
        assert answer.headers["allow"] == "GET, HEAD, OPTIONS"
        answer = client.options("/")
        assert (answer.status_code, answer.headers["allow"]) == (204, "GET, HEAD, OPTIONS")


class Broken(Exception):
    pass


class Worse(Broken):
    pass


@pytest.mark.parametrize("kind", KINDS)
def test_exception_handlers(kind, caplog):
    api, router, inner = API(), Router("/router"), Router("/inner")
    api.include(router)
    router.include(inner)
    for each in (api, router, inner):
        each.get("/broken")(raising(Broken("b"), kind))
        each.get("/worse")(raising(Worse("w"), kind))
        each.get("/http")(raising(HTTPError(404), kind))
    api.get("/typed")(takes_a_number)

    @api.exception(Broken)
    def broken(request: Request, error: Broken) -> Any:
        return Response({"at": request.path, "error": str(error)}, status=418)

    @router.exception(Broken)
    async def later(request: Request, error: Broken) -> Any:
        await asyncio.sleep(0)
        return HttpResponse("router", status=419)

    @inner.exception(Worse)
    def itself(request: Request, error: Worse) -> None:
        request.respond(420, [], b"inner")

    @api.exception(HTTPError)
    def failing(request: Request, error: HTTPError) -> None:
        raise HTTPError(error.status, "By the handler.")

    with serving(api) as client:
        answer = client.get("/broken")
        assert (answer.status_code, answer.json()) == (418, {"at": "/broken", "error": "b"})
        assert client.get("/worse").status_code == 418
        assert client.get("/router/broken").status_code == 419
        assert client.get("/router/inner/broken").status_code == 419
        assert client.get("/router/inner/worse").status_code == 420
        assert problem(client.get("/http"), 404)["detail"] == "By the handler."
        assert problem(client.get("/typed?number=x"), 422)["detail"] == "By the handler."
    assert not [record for record in caplog.records if record.name == "django_rivet"]


@pytest.mark.parametrize("kind", KINDS)
def test_exception_handlers_that_fail(kind):
    api = API()
    for path in ("value", "later", "stream"):
        api.get(f"/{path}")(raising(Broken(path), kind))
    calls = []

    async def waits(value: Any) -> Any:
        await asyncio.sleep(0)
        return value

    async def stream() -> AsyncIterator[bytes]:
        raise Broken("again")
        yield b""

    @api.exception(Broken)
    def broken(request: Request, error: Broken) -> Any:
        calls.append(str(error))
        return waits(object()) if str(error) == "later" else Stream(stream()) if str(error) == "stream" else object()

    with serving(api) as client:
        for path in ("value", "later", "stream"):
            problem(client.get(f"/{path}"), 500)
    assert calls == ["value", "later", "stream"]


def takes_a_number(number: int) -> int:
    return number


@pytest.mark.parametrize("kind", KINDS)
def test_the_debug_page_is_for_debug_only(kind):
    api = API()
    api.get("/")(raising(KeyError("secret"), kind))
    with serving(api) as client, override_settings(DEBUG=True):
        answer = client.get("/", headers={"Accept": "text/html"})
        assert answer.status_code == 500 and "KeyError at /" in answer.text and "Traceback" in answer.text
        answer = client.get("/", headers={"Accept": "application/json"})
        assert answer.status_code == 500 and "KeyError" in answer.text and "<html" not in answer.text


def test_an_error_after_the_answer_has_begun_cuts_it(caplog):
    import httpx

    api = API()

    @api.get("/")
    async def handler(request: Request) -> None:
        request.start(200, [])
        request.write(b"begun")
        raise KeyError("late")

    @api.get("/whole")
    async def whole(request: Request) -> None:
        request.respond(200, [], b"whole")
        raise KeyError("too late")

    with serving(api) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            client.get("/")
        assert client.get("/whole").text == "whole"
    assert [str(record.exc_info[1]) for record in caplog.records] == ["'late'", "'too late'"]


def test_mistakes():
    with pytest.raises(ValueError, match="no status of an error"):
        HTTPError(200)
    with pytest.raises(TypeError, match="name a class of exceptions"):
        API().exception(7)  # type: ignore[type-var]
    assert msgspec.json.decode(HTTPError(599).body())["title"] == "Server Error"
