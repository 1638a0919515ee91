"""Where a view runs; the rule by which that is learnt has its tests in src/engine/learnt.rs."""

import time

from django_rivet.django import blocking, inline
from django_rivet.django.inline import Lane

MANY = 10_000


def short(lane: Lane, times: int = MANY) -> None:
    for _ in range(times):
        lane.learnt.on_pool(0.0005, 0.0005)


def call(lane: Lane, seconds: float = 0) -> None:
    lane.learnt.begin()
    if seconds:
        time.sleep(seconds)
    lane.learnt.end()


def test_short_calls_lead_inline() -> None:
    lane = Lane("learn")
    assert not lane.inline
    short(lane)
    assert lane.inline


def test_a_slow_call_leads_back() -> None:
    lane = Lane("learn")
    short(lane)
    call(lane, 0.02)
    assert not lane.inline


def test_waiting_leads_back() -> None:
    lane = Lane("learn")
    short(lane)
    for _ in range(100):
        call(lane)
    assert lane.inline
    for _ in range(1000):
        call(lane, 0.0001)
    assert not lane.inline


def test_long_calls_on_the_pool_stay_there() -> None:
    lane = Lane("learn")
    for _ in range(MANY):
        short(lane, 5)
        lane.learnt.on_pool(0.5, 0.0001)
    assert not lane.inline


def test_declared_views_stay_where_they_are() -> None:
    @inline
    def fast() -> None: ...

    @blocking
    def slow() -> None: ...

    lane = Lane("never", fast)
    call(lane, 0.02)
    lane.block()
    assert lane.inline
    lane = Lane("always", slow)
    short(lane)
    assert not lane.inline


def test_settings() -> None:
    assert Lane("always").inline
    lane = Lane("never")
    short(lane)
    assert not lane.inline


def test_what_streams_stays_on_the_pool() -> None:
    lane = Lane("learn")
    lane.block()
    short(lane)
    assert not lane.inline
