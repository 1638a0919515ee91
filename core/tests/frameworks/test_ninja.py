"""Handlers of django-ninja answer under runrivet as they do under uvicorn."""

import pytest

from pair import Pair

FILES = [("files", ("a.txt", b"one", "text/plain")), ("files", ("b.txt", "grüße".encode(), "text/plain"))]


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/ninja/add/1?b=2", {}, 200),
        ("/ninja/add/1?b=2&kind=text", {}, 200),
        ("/ninja/add/1?b=x&kind=y", {}, 422),
        ("/ninja/add/x", {}, 404),
        ("/ninja/later/caf%C3%A9?tag=a&tag=b", {"X-Agent": "test"}, 200),
        ("/ninja/later/toolong?tag=a", {}, 422),
        ("/ninja/later/short", {}, 422),
        ("/ninja/keyed", {"X-Key": "secret"}, 200),
        ("/ninja/keyed", {"X-Key": "wrong"}, 401),
        ("/ninja/bearer", {"Authorization": "Bearer bob"}, 200),
        ("/ninja/bearer", {"Authorization": "Bearer eve"}, 401),
        ("/ninja/bearer", {}, 401),
        ("/ninja/errors/http", {}, 418),
        ("/ninja/errors/own", {}, 409),
        ("/ninja/errors/other", {}, 500),
        ("/ninja/stream", {}, 200),
        ("/ninja/notes", {}, 200),
        ("/ninja/notes?limit=1&offset=1", {}, 200),
        ("/ninja/notes?search=caf", {}, 200),
        ("/ninja/notes/1", {}, 200),
        ("/ninja/notes/99", {}, 404),
        ("/ninja/notes/x", {}, 422),
        ("/ninja/form", {}, 405),
        ("/ninja/openapi.json", {}, 200),
        ("/ninja/docs", {}, 200),
    ],
)
def test_reading(pair: Pair, path: str, headers: dict[str, str], status: int) -> None:
    assert pair.ask("GET", path, headers=headers).status_code == status


def test_the_schema_has_each_path(pair: Pair) -> None:
    assert len(pair.ask("GET", "/ninja/openapi.json").json()["paths"]) == 10


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"json": {"title": "bread", "due": "2026-01-31"}}, 201),
        ({"json": {"title": "bread", "due": "soon"}}, 422),
        ({"json": {"text": 1}}, 422),
        ({"content": b"{"}, 400),
        ({"json": {"title": "big", "text": "x" * 200_000}}, 400),
    ],
)
def test_creating(ada: Pair, sent: dict[str, object], status: int) -> None:
    assert ada.ask("POST", "/ninja/notes", **sent).status_code == status


def test_a_note_goes(ada: Pair) -> None:
    number = ada.ask("POST", "/ninja/notes", json={"title": "soap"}).json()["id"]
    assert ada.ask("DELETE", f"/ninja/notes/{number}").status_code == 204
    assert ada.ask("GET", f"/ninja/notes/{number}").status_code == 404


def test_a_session_needs_the_csrf_token(ada: Pair) -> None:
    assert ada.ask("POST", "/ninja/notes", json={"title": "mine"}, csrf=False).status_code == 403


def test_nobody_may_not_write(pair: Pair) -> None:
    assert pair.ask("POST", "/ninja/notes", json={"title": "mine"}).status_code == 403


def test_files(pair: Pair) -> None:
    answer = pair.ask("POST", "/ninja/form", data={"title": "é"}, files=FILES)
    assert answer.json() == ["é", ["a.txt", 3, "one"], ["b.txt", 7, "grüße"]]
    assert pair.ask("POST", "/ninja/form", data={"title": "é"}).status_code == 422


def test_throttling(pair: Pair) -> None:
    assert [pair.ask("GET", "/ninja/seldom").status_code for _ in range(3)] == [200, 200, 429]
