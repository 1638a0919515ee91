"""Views of Django REST framework answer under runrivet as they do under uvicorn."""

from urllib.parse import urlsplit

import pytest

from pair import Pair

HTML = {"Accept": "text/html"}
TOKEN = {"Authorization": f"Token {'b' * 40}"}
FILES = [("f", ("a.txt", b"one", "text/plain")), ("f", ("b c.csv", "grüße".encode(), "text/csv"))]


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/rest/", {}, 200),
        ("/rest/?format=json", {}, 200),
        ("/rest/notes/", {}, 200),
        ("/rest/notes/?page=2", {}, 200),
        ("/rest/notes/?page=9", {}, 404),
        ("/rest/notes/?search=caf%C3%A9", {}, 200),
        ("/rest/notes/?ordering=-title", {}, 200),
        ("/rest/notes.json", {}, 200),
        ("/rest/notes/1/", {}, 200),
        ("/rest/notes/1", {}, 301),
        ("/rest/notes/99/", {}, 404),
        ("/rest/notes/1/", {"Accept": "application/xml"}, 406),
        ("/rest/notes/1/", TOKEN, 200),
        ("/rest/notes/1/", {"Authorization": "Token wrong"}, 403),
        ("/rest/upload/", {}, 405),
        ("/rest/notes/", HTML, 200),
        ("/rest/notes/1/", HTML, 200),
        ("/rest/notes/99/", HTML, 404),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_reading(pair: Pair, method: str, path: str, headers: dict[str, str], status: int) -> None:
    assert pair.ask(method, path, headers=headers).status_code == status


def test_a_view_that_fails(pair: Pair) -> None:
    assert pair.ask("GET", "/rest/broken/").status_code == 500


def test_the_browsable_api_shows_its_forms_to_whom_may_write(ada: Pair) -> None:
    assert 'name="title"' in ada.ask("GET", "/rest/notes/", headers=HTML).text
    assert "Django REST framework" in ada.ask("OPTIONS", "/rest/notes/1/", headers=HTML).text


def test_metadata(ada: Pair) -> None:
    assert ada.ask("OPTIONS", "/rest/notes/").json()["actions"]["POST"]["title"]["max_length"] == 20


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"json": {"title": "bread"}}, 201),
        ({"data": {"title": "grüße", "text": "x" * 3000}}, 201),
        ({"files": {"title": (None, "butter")}}, 201),
        ({"json": {"title": "forbidden"}}, 400),
        ({"json": {"title": "x" * 21, "text": None}}, 400),
        ({"json": {}}, 400),
        ({"content": b"{", "headers": {"Content-Type": "application/json"}}, 400),
        ({"content": b"a", "headers": {"Content-Type": "text/x-none"}}, 415),
        ({"json": {"title": "big", "text": "x" * 200_000}}, 400),
    ],
)
def test_creating(ada: Pair, sent: dict[str, object], status: int) -> None:
    assert ada.ask("POST", "/rest/notes/", **sent).status_code == status


def test_a_note_is_changed_and_goes(ada: Pair) -> None:
    place = urlsplit(ada.ask("POST", "/rest/notes/", json={"title": "soap"}).headers["location"]).path
    assert ada.ask("PUT", place, json={"title": "rope", "text": "long"}).json()["text"] == "long"
    assert ada.ask("PATCH", place, json={"title": "ropes"}).json()["text"] == "long"
    assert ada.ask("POST", f"{place}shout/").json()["title"] == "ROPES"
    assert ada.ask("DELETE", place).status_code == 204
    assert ada.ask("GET", place).status_code == 404


def test_who_may_not_write(pair: Pair) -> None:
    assert pair.ask("POST", "/rest/notes/", json={"title": "mine"}).status_code == 403
    assert pair.ask("PATCH", "/rest/notes/1/", json={"title": "mine"}, headers=TOKEN).status_code == 403
    assert pair.ask("POST", "/rest/notes/", json={"title": "mine"}, headers=TOKEN).json()["owner"] == "bob"


def test_a_session_needs_the_csrf_token(ada: Pair) -> None:
    refused = ada.ask("POST", "/rest/notes/", json={"title": "mine"}, csrf=False)
    assert (refused.status_code, "CSRF" in refused.text) == (403, True)


def test_a_token_is_given(pair: Pair) -> None:
    right = {"username": "bob", "password": "secret"}
    assert pair.ask("POST", "/rest/token/", json=right).json() == {"token": "b" * 40}
    assert pair.ask("POST", "/rest/token/", json=right | {"password": "wrong"}).status_code == 400


def test_files(pair: Pair) -> None:
    answer = pair.ask("POST", "/rest/upload/", data={"text": "é"}, files=FILES, headers=TOKEN)
    assert answer.json() == {
        "files": [["a.txt", "text/plain", 3, "one"], ["b c.csv", "text/csv", 7, "grüße"]],
        "text": "é",
    }
    raw = pair.ask("PUT", "/rest/raw/x.bin", content=b"x" * 300_000, headers=TOKEN)
    assert raw.json() == {"name": "x.bin", "size": 300_000}


def test_throttling(pair: Pair) -> None:
    answers = [pair.ask("GET", "/rest/seldom/", headers=TOKEN) for _ in range(3)]
    assert [each.status_code for each in answers] == [200, 200, 429]
    assert int(answers[2].headers["retry-after"]) > 80_000
