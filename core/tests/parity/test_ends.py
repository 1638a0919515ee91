"""How requests end: clients that leave or do not read, full queues, exceptions; request_finished exactly once."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import slow
from django.core.signals import request_finished, request_started
from django.test import override_settings

import fake
from django_rivet.django import DjangoHandler, Pool
from waiting import until


class Signals:
    """Counts; `started` and `finished` on any thread."""

    def __init__(self) -> None:
        self.started = self.finished = 0
        self._lock = threading.Lock()

    def on_started(self, sender: Any, environ: dict[str, Any], **_: Any) -> None:
        assert sender is DjangoHandler and environ["REQUEST_METHOD"]
        with self._lock:
            self.started += 1

    def on_finished(self, sender: Any, **_: Any) -> None:
        assert sender is DjangoHandler
        with self._lock:
            self.finished += 1


@pytest.fixture
def signals() -> Iterator[Signals]:
    signals = Signals()
    request_started.connect(signals.on_started)
    request_finished.connect(signals.on_finished)
    yield signals
    request_started.disconnect(signals.on_started)
    request_finished.disconnect(signals.on_finished)


@pytest.fixture(autouse=True)
def urlconf() -> Iterator[None]:
    slow.GO.clear()
    slow.ENDED.clear()
    with override_settings(ROOT_URLCONF="slow"):
        yield
        slow.GO.set()


@pytest.fixture(params=["always", "never"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def pool(engine: fake.Engine) -> Iterator[Pool]:
    pool = Pool(1, queue_timeout=1.0, limit=2)
    yield pool
    slow.GO.set()
    engine.close()
    assert pool.close(20)


@pytest.mark.parametrize("view", [view.__name__ for view in slow.ENDLESS])
def test_client_leaves_a_stream(view: str, mode: str, pool: Pool, engine: fake.Engine, signals: Signals) -> None:
    handler = DjangoHandler(pool, inline=mode)
    request = engine.give(handler, fake.Request("GET", f"/{view}", high_water=5000))
    until(lambda: request.unread >= 5000, "the first bytes")
    assert not slow.ENDED
    # Nobody reads: the only thread is free for others.
    assert engine.ask(DjangoHandler(pool, inline="never"), "GET", "/at_once").sent == b"rivet-pool-0"
    size = len(request.sent)
    engine.call(request.read_all)
    until(lambda: len(request.sent) > size, "more, for a client that reads again")
    engine.call(request.leave)
    until(lambda: slow.ENDED == ["closed"], "the end of the generator")
    until(lambda: signals.finished == 2, "request_finished")
    assert signals.started == 2


@pytest.mark.parametrize("view", ["sleeps", "shrugs"])
def test_client_leaves_an_async_view(view: str, mode: str, pool: Pool, engine: fake.Engine, signals: Signals) -> None:
    request = engine.give(DjangoHandler(pool, inline=mode), fake.Request("GET", f"/{view}"))
    assert slow.STARTED.acquire(timeout=20)
    engine.call(request.leave)
    until(lambda: signals.finished == 1, "request_finished")
    assert slow.ENDED == ["cancelled"]
    assert signals.started == 1


def test_full_queue(pool: Pool, engine: fake.Engine, signals: Signals) -> None:
    handler = DjangoHandler(pool, inline="never")
    first = engine.give(handler, fake.Request("GET", "/waits"))
    assert slow.STARTED.acquire(timeout=20)
    second = engine.give(handler, fake.Request("GET", "/at_once"))
    third = engine.give(handler, fake.Request("GET", "/at_once"))
    began = time.monotonic()
    refused = engine.ask(handler, "GET", "/at_once")
    assert time.monotonic() - began < 0.9, "refused late"
    assert (refused.status, dict(refused.fields)["Retry-After"]) == (503, "1")
    engine.call(third.leave)
    # The thread is busy all the time: who waits too long is refused all the same.
    assert second.done.wait(20) and second.status == 503
    slow.GO.set()
    assert first.done.wait(20) and first.sent == b"waited"
    assert engine.ask(handler, "GET", "/at_once").status == 200
    until(lambda: (signals.started, signals.finished) == (2, 2), "two requests in all")


def test_client_leaves_the_queue(pool: Pool, engine: fake.Engine, signals: Signals) -> None:
    pool.queue_timeout = 20
    handler = DjangoHandler(pool, inline="never")
    engine.give(handler, fake.Request("GET", "/waits"))
    assert slow.STARTED.acquire(timeout=20)
    gone = engine.give(handler, fake.Request("GET", "/at_once"))
    engine.call(gone.leave)
    last = engine.give(handler, fake.Request("GET", "/at_once"))
    slow.GO.set()
    assert last.done.wait(20) and last.status == 200
    until(lambda: signals.finished == 2, "request_finished")
    assert signals.started == 2 and not gone.begun


def test_stream_that_breaks_is_cut(mode: str, pool: Pool, engine: fake.Engine, signals: Signals) -> None:
    request = engine.ask(DjangoHandler(pool, inline=mode), "GET", "/breaks")
    assert (request.sent, request.aborted) == (b"one", True)
    until(lambda: signals.finished == 1, "request_finished")


def test_unusable_header(mode: str, pool: Pool, engine: fake.Engine, signals: Signals) -> None:
    request = engine.ask(DjangoHandler(pool, inline=mode), "GET", "/bad_field")
    assert (request.status, request.sent) == (500, b"Internal Server Error\n")
    until(lambda: signals.finished == 1, "request_finished")


@pytest.mark.parametrize("view", [view.__name__ for view in slow.ENDLESS])
def test_head_of_a_stream_makes_no_body(
    view: str, mode: str, pool: Pool, engine: fake.Engine, signals: Signals
) -> None:
    request = engine.ask(DjangoHandler(pool, inline=mode), "HEAD", f"/{view}")
    assert (request.status, request.sent, request.aborted) == (200, b"", False)
    until(lambda: signals.finished == 1, "request_finished")


def test_learns_to_run_inline(pool: Pool, engine: fake.Engine) -> None:
    handler = DjangoHandler(pool, inline="learn")
    seen = {engine.ask(handler, "GET", "/at_once").sent for _ in range(3)}
    assert seen == {b"rivet-pool-0"}
    until(lambda: engine.ask(handler, "GET", "/at_once").sent == b"io", "inline")
