"""Streams and events."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from declared import KINDS, declare
from django_rivet import API, EventStream, Response, ServerSentEvent, Stream
from serving import problem, serving, until


async def numbers(last: int) -> AsyncIterator[str]:
    for number in range(last):
        await asyncio.sleep(0)
        yield f"{number},"


def threads(last: int) -> Iterator[str]:
    for _ in range(last):
        yield f"{threading.current_thread().name},"


@pytest.mark.parametrize("kind", KINDS)
def test_streams(kind):
    api = API()
    declare(
        api, kind, "/async", lambda: Stream(numbers(3), content_type="text/csv", status=206, headers={"X-One": "1"})
    )
    declare(api, kind, "/bare", lambda: numbers(2))
    declare(api, kind, "/thread", lambda: Stream(threads(3)))
    declare(api, kind, "/empty", lambda: Stream([]))
    declare(api, kind, "/large", lambda: Stream(b"x" * 100_000 for _ in range(100)))
    with serving(api) as client:
        answer = client.get("/async")
        assert (answer.status_code, answer.text, answer.headers["x-one"]) == (206, "0,1,2,", "1")
        assert answer.headers["content-type"] == "text/csv"
        assert client.get("/bare").text == "0,1,"
        names = client.get("/thread").text.split(",")
        assert names[0].startswith("rivet-stream") and len(set(names[:3])) == 1
        assert client.get("/empty").content == b""
        assert len(client.get("/large").content) == 10_000_000
        assert client.head("/async").content == b""


def test_a_stream_that_fails():
    def before() -> Iterator[str]:
        raise LookupError("secret")
        yield

    def after() -> Iterator[str]:
        yield "begun"
        raise LookupError("secret")

    api = API()
    declare(api, "async", "/before", lambda: Stream(before()))
    declare(api, "async", "/after", lambda: Stream(after()))
    with serving(api) as client:
        problem(client.get("/before"), 500)
        with pytest.raises(httpx.RemoteProtocolError):
            client.get("/after")


@pytest.mark.parametrize("chunk", [5, {"a": 1}, None])
def test_a_stream_of_what_is_no_text(chunk, caplog):
    api = API()
    declare(api, "async", "/", lambda: Stream([chunk]))
    with serving(api) as client:
        problem(client.get("/"), 500)
    assert f"a Stream sends bytes or str, and was given {type(chunk).__name__}" in caplog.text


@pytest.mark.parametrize("sort", ["async", "thread"])
def test_a_client_that_leaves_ends_the_stream(sort):
    ended = threading.Event()

    async def on_loop() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x" * 1000
                await asyncio.sleep(0.001)
        finally:
            ended.set()

    def on_thread() -> Iterator[bytes]:
        try:
            while not ended.wait(0.001):
                yield b"x" * 1000
        finally:
            ended.set()

    api = API()
    declare(api, "async", "/", lambda: Stream(on_loop() if sort == "async" else on_thread()))
    with serving(api) as client:
        with client.stream("GET", "/") as answer:
            next(answer.iter_bytes())
        assert ended.wait(10)


def test_an_iterator_is_closed_on_its_thread():
    seen: list[str] = []

    class Chunks:
        def __init__(self) -> None:
            self.left = 2

        def __iter__(self) -> Iterator[str]:
            return self

        def __next__(self) -> str:
            seen.append(threading.current_thread().name)
            if not self.left:
                raise StopIteration
            self.left -= 1
            return "x"

        def close(self) -> None:
            seen.append(threading.current_thread().name)

    api = API()
    declare(api, "async", "/", lambda: Stream(Chunks()))
    with serving(api) as client:
        assert client.get("/").text == "xx"
        until(lambda: len(seen) == 4, "the end")
    assert len(set(seen)) == 1


def test_an_event_stream_may_be_answered_again():
    stream = EventStream(["a"])
    api = API()
    declare(api, "async", "/", lambda: Response(stream, headers={"X-One": "1"}))
    with serving(api) as client:
        for _ in range(2):
            assert client.get("/").headers.get_list("x-one") == ["1"]


def test_events():
    async def events() -> AsyncIterator[Any]:
        yield ServerSentEvent("two\nlines", event="greeting", id=1, retry=1.5)
        yield {"plain": [1]}
        yield ServerSentEvent(comment="nothing")

    api = API()
    declare(api, "async", "/", lambda: EventStream(events()))
    declare(api, "def", "/list", lambda: EventStream(["a", "b"]))
    with serving(api) as client:
        answer = client.get("/")
        assert answer.headers["content-type"] == "text/event-stream"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.text == (
            'event: greeting\nid: 1\nretry: 1500\ndata: two\ndata: lines\n\ndata: {"plain":[1]}\n\n: nothing\n\n'
        )
        assert client.get("/list").text == "data: a\n\ndata: b\n\n"
    with pytest.raises(ValueError, match="one line"):
        ServerSentEvent(event="a\nb")


def test_pings_while_there_is_no_event():
    release = threading.Event()

    async def events() -> AsyncIterator[str]:
        while not release.is_set():
            await asyncio.sleep(0.01)
        yield "end"

    api = API()
    declare(api, "async", "/", lambda: EventStream(events(), ping=0.05))
    with serving(api) as client, client.stream("GET", "/") as answer:
        text = answer.iter_text()
        seen = next(text)
        while seen.count(": ping\n\n") < 2:
            seen += next(text)
        release.set()
        assert (seen + "".join(text)).endswith("data: end\n\n")
