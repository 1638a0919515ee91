"""ETag, Last-Modified and what clients ask by them, on a server."""

import datetime
import time
from collections.abc import Iterator
from typing import Annotated

import httpx
import msgspec
import pytest
from django.http import HttpResponse
from django.utils.http import http_date

from django_rivet import API, Depends, HTTPError, Request, Response, Stream
from serving import errors, problem, serving, until

CHANGED = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
BEFORE, SAME, AFTER = (http_date(CHANGED.timestamp() + seconds) for seconds in (-1, 0, 1))
calls: list[str] = []
api = API()


def version(number: int) -> str | None:
    if number == 404:
        raise HTTPError(404)
    return None if number == 0 else f"v{number}"


async def version_later(number: str) -> str:
    return f'"v{number}"'


def changed(request: Request, zone: bool = True) -> datetime.datetime:
    return CHANGED if zone else CHANGED.replace(tzinfo=None)


class Item(msgspec.Struct):
    number: int
    headers: list[str] = []


@api.get("/def/{number}", etag=version, last_modified=changed)
def read(number: int) -> Item:
    calls.append("read")
    return Item(number)


@api.get("/async/{number}", etag=version_later, last_modified=changed)
async def read_later(number: int) -> Item:
    calls.append("read")
    return Item(number)


@api.put("/def/{number}", etag=version)
def write(number: int, value: dict[str, int]) -> dict[str, int]:
    calls.append("written")
    return value


@api.put("/async/{number}", etag=version_later, status=201)
async def write_later(number: int, value: dict[str, int]) -> dict[str, int]:
    calls.append("written")
    return value


def opened() -> Iterator[int]:
    calls.append("opened")
    yield 1
    calls.append("closed")


@api.get("/kinds/{kind}", last_modified=changed)
def kinds(kind: str, opened: Annotated[int, Depends(opened)]) -> object:
    return {
        "none": None,
        "response": Response("x", status=203, headers={"Last-Modified": BEFORE}),
        "django": HttpResponse("x", headers={"Last-Modified": BEFORE}),
        "stream": Stream(iter([b"x"])),
        "bytes": b"x",
    }[kind]


def session(number: int) -> Iterator[str]:
    calls.append("begun")
    try:
        yield f"v{number}"
    finally:
        calls.append("ended")


def version_in_session(session: Annotated[str, Depends(session)]) -> str:
    return session


async def time_in_session(session: Annotated[str, Depends(session)]) -> datetime.datetime:
    return CHANGED


def needed_by_the_handler() -> None:
    calls.append("needed")


def chunks(text: str) -> Iterator[str]:
    calls.append("sent")
    yield text


@api.get("/shared/def/{number}", etag=version_in_session)
@api.put("/shared/def/{number}", etag=version_in_session)
def shared(
    number: int, session: Annotated[str, Depends(session)], needed: Annotated[None, Depends(needed_by_the_handler)]
) -> Stream:
    return Stream(chunks(session))


@api.get("/shared/async/{number}", etag=version_in_session, last_modified=time_in_session)
@api.put("/shared/async/{number}", etag=version_in_session, last_modified=time_in_session)
async def shared_later(
    number: int, session: Annotated[str, Depends(session)], needed: Annotated[None, Depends(needed_by_the_handler)]
) -> Stream:
    return Stream(chunks(session))


def version_of_text(page: str = "first") -> str:
    return f"v{page}"


@api.get("/pages", etag=version_of_text)
def pages(page: Annotated[int, msgspec.Meta(ge=1)] = 1) -> int:
    return page


@api.get("/auto/{kind}", etag=True)
async def auto(kind: str) -> object:
    match kind:
        case "missing":
            raise HTTPError(404)
        case "own":
            return Response("x", headers={"ETag": '"mine"', "Cache-Control": "no-cache"})
        case "kept":
            return Response("x", headers={"Cache-Control": "no-cache", "X-Other": "1"})
        case "django":
            return HttpResponse("x" * 1000, headers={"Content-Type": "text/plain"})
        case "stream":
            return Stream(iter([b"x"]))
    return {"kind": kind, "text": "x" * 1000}


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with serving(api, compression="gzip") as client:
        client.headers["Accept-Encoding"] = "identity"
        yield client


@pytest.fixture(params=["def", "async"])
def kind(request) -> str:
    calls.clear()
    return request.param


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_an_answer_has_its_tag_and_time(client, kind, method):
    response = client.request(method, f"/{kind}/7")
    assert (response.status_code, response.headers["etag"], response.headers["last-modified"]) == (200, '"v7"', SAME)
    assert response.content == (b'{"number":7,"headers":[]}' if method == "GET" else b"")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"If-None-Match": '"v7"'}, 304),
        ({"If-None-Match": 'W/"v7", "v8"'}, 304),
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": '"v8"'}, 200),
        ({"If-None-Match": '"v8"', "If-Modified-Since": SAME}, 200),  # RFC 9110 13.1.3
        ({"If-Modified-Since": SAME}, 304),
        ({"If-Modified-Since": AFTER}, 304),
        ({"If-Modified-Since": BEFORE}, 200),
        ({"If-Modified-Since": "yesterday"}, 200),
        ({"If-Match": '"v7"'}, 200),
        ({"If-Match": '"v8"'}, 412),
        ({"If-Match": 'W/"v7"'}, 412),  # compared strongly
        ({"If-Unmodified-Since": SAME}, 200),
        ({"If-Unmodified-Since": BEFORE}, 412),
    ],
)
def test_conditions_of_reading(client, kind, method, asked, status):
    response = client.request(method, f"/{kind}/7", headers=asked)
    assert response.status_code == status
    assert calls == (["read"] if status == 200 else [])
    if status == 304:
        assert (response.headers["etag"], response.headers["last-modified"], response.content) == ('"v7"', SAME, b"")
    if status == 412 and method == "GET":
        problem(response, 412)


@pytest.mark.parametrize(
    ("asked", "status"),
    [({}, 200), ({"If-Match": '"v7"'}, 200), ({"If-Match": '"v6"'}, 412), ({"If-None-Match": "*"}, 412)],
)
def test_conditions_of_writing(client, kind, asked, status):
    response = client.put(f"/{kind}/7", headers=asked, json={"x": 1})
    assert response.status_code == (201 if (status, kind) == (200, "async") else status)
    assert calls == (["written"] if status == 200 else [])
    assert "etag" not in response.headers


def test_a_time_without_a_zone_is_utc(client, monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert client.get("/def/1?zone=0").headers["last-modified"] == SAME
    finally:
        monkeypatch.undo()
        time.tzset()


def test_what_has_no_tag_or_is_not_there(client):
    response = client.get("/def/0", headers={"If-None-Match": '"v0"'})
    assert response.status_code == 200 and "etag" not in response.headers
    problem(client.get("/def/404"), 404)
    problem(client.get("/def/x"), 422)


@pytest.mark.parametrize(
    ("kind", "status", "modified"),
    [
        ("none", 204, SAME),
        ("response", 203, BEFORE),
        ("django", 200, BEFORE),
        ("stream", 200, SAME),
        ("bytes", 200, SAME),
    ],
)
def test_each_kind_of_answer(client, kind, status, modified):
    calls.clear()
    response = client.get(f"/kinds/{kind}")
    assert (response.status_code, response.headers["last-modified"]) == (status, modified)
    until(lambda: calls == ["opened", "closed"], "the provider has ended")  # after a stream, on a thread
    assert client.get(f"/kinds/{kind}", headers={"If-Modified-Since": SAME}).status_code == 304
    assert calls == ["opened", "closed"]


@pytest.mark.parametrize(
    ("method", "asked", "status", "seen"),
    [
        ("GET", {}, 200, ["begun", "needed", "sent", "ended"]),
        ("GET", {"If-None-Match": '"v7"'}, 304, ["begun", "ended"]),
        ("PUT", {"If-Match": '"v7"'}, 200, ["begun", "needed", "sent", "ended"]),
        ("PUT", {"If-Match": '"v6"'}, 412, ["begun", "ended"]),
    ],
)
def test_a_provider_of_both_runs_once_and_ends_after_the_answer(client, kind, method, asked, status, seen):
    response = client.request(method, f"/shared/{kind}/7", headers=asked)
    assert (response.status_code, response.text if status == 200 else "v7") == (status, "v7")
    assert until(lambda: len(calls) >= len(seen) and calls, "the provider has ended") == seen


def test_overrides_hold_for_conditions_too(client):
    with api.overrides({session: lambda: "v8"}):
        assert client.get("/shared/def/7", headers={"If-None-Match": '"v8"'}).status_code == 304


def test_a_name_may_be_text_to_one_of_both(client):
    first, second = client.get("/pages"), client.get("/pages?page=2")
    assert (first.json(), first.headers["etag"], second.json(), second.headers["etag"]) == (1, '"vfirst"', 2, '"v2"')
    assert errors(client.get("/pages?page=0")) == [("query", "page")]


@pytest.mark.parametrize("kind", ["json", "django", "kept"])
def test_a_tag_made_of_the_answer(client, kind):
    first = client.get(f"/auto/{kind}")
    tag = first.headers["etag"]
    assert (first.status_code, tag.startswith('"')) == (200, True)
    assert client.get("/auto/other").headers["etag"] != tag
    assert client.head(f"/auto/{kind}").headers["etag"] == tag
    again = client.get(f"/auto/{kind}", headers={"If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert again.headers.get("cache-control") == first.headers.get("cache-control")
    assert "x-other" not in again.headers
    problem(client.get(f"/auto/{kind}", headers={"If-Match": '"other"'}), 412)


def test_a_compressed_answer_has_a_weak_tag(client):
    plain = client.get("/auto/json").headers["etag"]
    first = client.get("/auto/json", headers={"Accept-Encoding": "gzip"})
    assert (first.headers["content-encoding"], first.headers["etag"]) == ("gzip", f"W/{plain}")
    asked = {"Accept-Encoding": "gzip", "If-None-Match": f"W/{plain}"}
    assert client.get("/auto/json", headers=asked).status_code == 304


@pytest.mark.parametrize(
    ("kind", "status", "tag"), [("missing", 404, None), ("own", 200, '"mine"'), ("stream", 200, None)]
)
def test_what_gets_no_tag(client, kind, status, tag):
    response = client.get(f"/auto/{kind}", headers={"If-None-Match": "*"} if tag is None else {})
    assert (response.status_code, response.headers.get("etag")) == (status, tag)


@pytest.mark.parametrize(
    ("method", "options", "error", "words"),
    [
        ("post", {"etag": True}, ValueError, "etag=True is for GET"),
        ("get", {"etag": version_later}, TypeError, "must be an async def"),
        ("get", {"last_modified": lambda other: None}, TypeError, "other"),
        ("get", {"etag": "v1"}, TypeError, "etag='v1': give a function"),
        ("get", {"last_modified": True}, TypeError, "last_modified=True: give a function"),
    ],
)
def test_mistakes_show_where_they_are(method, options, error, words):
    def handler(number: str) -> str:
        return number

    with pytest.raises(error, match=words):
        getattr(API(), method)("/{number}", **options)(handler)


def test_one_name_has_one_type():
    def handler(number: float) -> float:
        return number

    with pytest.raises(TypeError, match="path number is asked for twice, as different types"):
        API().get("/{number}", etag=version)(handler)


def test_a_number_is_a_tag_and_a_date_is_no_time(caplog):
    numbered = API()
    def version_number(number: int) -> int:
        return number

    numbered.get("/{number}", etag=version_number)(version_number)
    numbered.get("/a/day", last_modified=lambda: datetime.date(2026, 1, 2))(lambda: 1)
    with serving(numbered) as client:
        assert client.get("/7").headers["etag"] == '"7"'
        assert client.get("/7", headers={"If-None-Match": '"7"'}).status_code == 304
        problem(client.get("/a/day"), 500)
    assert "last_modified gives a datetime, not date" in caplog.text
