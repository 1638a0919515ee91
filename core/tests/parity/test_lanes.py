"""The rule that decides where a view runs."""

from django_rivet.django import blocking, inline
from django_rivet.django.inline import FIRST_NEEDED, MOST_NEEDED, QUICK, SLOW, WAITING, Lane


def quick(lane: Lane, times: int) -> None:
    for _ in range(times):
        lane.took_on_pool(QUICK / 2, QUICK / 2, alone=True)


def test_goes_inline_after_enough_quick_requests() -> None:
    lane = Lane("learn")
    quick(lane, FIRST_NEEDED - 1)
    assert not lane.inline
    quick(lane, 1)
    assert lane.inline


def test_waiting_starts_again() -> None:
    lane = Lane("learn")
    quick(lane, FIRST_NEEDED - 1)
    lane.took_on_pool(QUICK / 2 + WAITING * 2, QUICK / 2, alone=True)
    quick(lane, FIRST_NEEDED - 1)
    assert not lane.inline


def test_waiting_beside_others_may_be_for_the_interpreter() -> None:
    lane = Lane("learn")
    quick(lane, FIRST_NEEDED - 1)
    lane.took_on_pool(1.0, QUICK / 2, alone=False)
    quick(lane, 1)
    assert lane.inline


def test_work_starts_again_even_beside_others() -> None:
    lane = Lane("learn")
    quick(lane, FIRST_NEEDED - 1)
    lane.took_on_pool(QUICK * 2, QUICK * 2, alone=False)
    quick(lane, 1)
    assert not lane.inline


def test_one_slow_request_inline_and_twice_as_many_are_needed() -> None:
    lane = Lane("learn")
    needed = FIRST_NEEDED
    for _ in range(20):
        quick(lane, needed - 1)
        assert not lane.inline
        quick(lane, 1)
        assert lane.inline
        lane.took_inline(SLOW / 2)
        assert lane.inline
        lane.took_inline(SLOW * 2)
        assert not lane.inline
        needed = min(needed * 2, MOST_NEEDED)


def test_declared_views_stay_where_they_are() -> None:
    @inline
    def fast() -> None: ...

    @blocking
    def slow() -> None: ...

    lane = Lane("never", fast)
    lane.took_inline(SLOW * 2)
    lane.block()
    assert lane.inline
    lane = Lane("always", slow)
    quick(lane, MOST_NEEDED)
    assert not lane.inline


def test_settings() -> None:
    assert Lane("always").inline
    lane = Lane("never")
    quick(lane, MOST_NEEDED)
    assert not lane.inline


def test_what_streams_stays_on_the_pool() -> None:
    lane = Lane("learn")
    lane.block()
    quick(lane, MOST_NEEDED)
    assert not lane.inline
