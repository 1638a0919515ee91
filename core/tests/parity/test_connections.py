"""Database connections: closed on the thread that opened them, as CONN_MAX_AGE says, on every path."""

from collections.abc import Iterator
from itertools import product

import pytest
import views
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

import fake
from django_rivet.django import DjangoHandler, Pool

THREADS = 2


@pytest.fixture
def opened() -> Iterator[list[BaseDatabaseWrapper]]:
    """The wrappers that opened a connection, once for each time."""
    opened: list[BaseDatabaseWrapper] = []

    def on_created(connection: BaseDatabaseWrapper, **_: object) -> None:
        opened.append(connection)

    connection_created.connect(on_created)
    yield opened
    connection_created.disconnect(on_created)


def run(engine: fake.Engine, mode: str, sessions: dict[str, str]) -> Pool:
    pool = Pool(THREADS)
    handler = DjangoHandler(pool, inline=mode)
    asked = []
    for _, view, name in product(range(3), views.PATHS, sessions):
        fields = [("host", "x"), ("cookie", f"sessionid={sessions[name]}")]
        asked.append(engine.give(handler, fake.Request("GET", f"/{view.__name__}", fields)))
    for request in asked:
        assert request.done.wait(30), request.path
    engine.settle(handler)
    return pool


@pytest.mark.parametrize("mode", ["always", "never", "learn"])
def test_none_is_left_open(
    mode: str,
    engine: fake.Engine,
    sessions: dict[str, str],
    opened: list[BaseDatabaseWrapper],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("CRITICAL")
    pool = run(engine, mode, sessions)
    assert opened
    assert [wrapper for wrapper in opened if wrapper.connection is not None] == []
    assert pool.close(10)


@pytest.mark.parametrize("view", [view.__name__ for view in views.PATHS])
@pytest.mark.parametrize("mode", ["always", "never"])
def test_one_request_closes_its_own(
    mode: str,
    view: str,
    engine: fake.Engine,
    sessions: dict[str, str],
    opened: list[BaseDatabaseWrapper],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """No later request has to do it."""
    caplog.set_level("CRITICAL")
    pool = Pool(THREADS)
    handler = DjangoHandler(pool, inline=mode)
    engine.ask(handler, "GET", f"/{view}", [("host", "x"), ("cookie", f"sessionid={sessions['ann']}")])
    engine.settle(handler)
    assert opened
    assert [wrapper for wrapper in opened if wrapper.connection is not None] == []
    assert pool.close(10)


@pytest.mark.parametrize("mode", ["always", "never", "learn"])
def test_kept_for_their_age(
    mode: str,
    engine: fake.Engine,
    sessions: dict[str, str],
    opened: list[BaseDatabaseWrapper],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("CRITICAL")
    connections.settings["default"]["CONN_MAX_AGE"] = 600
    try:
        pool = run(engine, mode, sessions)
        # Each thread has one, the I/O thread too, and none is opened twice.
        assert 0 < len(opened) <= THREADS + 1
        assert pool.close(10)
        still = [wrapper for wrapper in opened if wrapper.connection is not None]
        assert len(still) <= 1, "a thread of the pool has ended and left its connection open"
        for wrapper in still:
            engine.call(lambda wrapper=wrapper: (wrapper.inc_thread_sharing(), _close(wrapper)))
    finally:
        connections.settings["default"]["CONN_MAX_AGE"] = 0


def _close(wrapper: BaseDatabaseWrapper) -> None:
    from django_rivet.django.guard import without_loop

    without_loop(wrapper.close)
