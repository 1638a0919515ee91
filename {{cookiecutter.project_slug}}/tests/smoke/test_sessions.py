"""Sessions outlive their cache: nobody is logged out, and who logged out stays out."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

import stack
from stack import User
from visitor import Visitor

FLUSH = """
from django.core.cache import cache
cache.set("smoke", 1)
assert cache.get("smoke") == 1, "the cache does not work"
cache.clear()
assert cache.get("smoke") is None, "the cache was not flushed"
"""
CACHE_ANSWERS = """
from django.core.cache import cache
cache.set("smoke", 1)
result = cache.get("smoke") == 1
"""


@contextmanager
def flushed() -> Iterator[None]:
    stack.django(FLUSH)
    yield


@contextmanager
def cache_stopped() -> Iterator[None]:
    with stack.stopped("redis-cache"):
        yield


@contextmanager
def cache_unplugged() -> Iterator[None]:
    with stack.unplugged("redis-cache"):
        yield


@contextmanager
def sign_in(user: User) -> Iterator[Visitor]:
    """With a cached copy of the session, as after any visit."""
    with Visitor() as visitor:
        assert visitor.sign_in(user).signed_in()
        yield visitor


def assert_everywhere(visitor: Visitor, *, signed_in: bool, when: str) -> None:
    """Often enough to meet every replica; with the cookies of now each time, also where an answer takes them away."""
    cookies = visitor.cookie
    for _ in range(6):
        with Visitor(headers={"Cookie": cookies}) as again:
            assert again.signed_in() is signed_in, when


@pytest.mark.fault
@pytest.mark.parametrize("fault", [flushed, cache_stopped, cache_unplugged])
def test_sessions_outlive_their_cache(user: User, fault: Callable[[], AbstractContextManager[None]]) -> None:
    with sign_in(user) as stays, sign_in(user) as leaves, Visitor() as replay:
        replay.cookies.update(leaves.cookies)
        with fault():
            assert_everywhere(stays, signed_in=True, when="while the cache is away")
            assert leaves.sign_out().status_code < 400
            assert_everywhere(replay, signed_in=False, when="logged out while the cache is away")
            with sign_in(user) as arrives:
                assert_everywhere(arrives, signed_in=True, when="logged in while the cache is away")
        stack.wait_until("the cache answers again", lambda: stack.django(CACHE_ANSWERS))
        assert_everywhere(stays, signed_in=True, when="after the cache is back")
        end = time.monotonic() + 4  # meanwhile every replica reads the cache again
        while time.monotonic() < end:
            assert_everywhere(replay, signed_in=False, when="logged out, and the cache is back")


def test_sessions_are_cached(user: User) -> None:
    """The next request after a visit finds its session without the database."""
    code = """
from importlib import import_module
from django.conf import settings
from django.core.cache import caches
store = import_module(settings.SESSION_ENGINE).SessionStore(key)
cache = caches[settings.SESSION_CACHE_ALIAS]
result = cache.get(store.cache_key) is not None
"""
    with sign_in(user) as visitor:
        key = next(cookie.value for cookie in visitor.cookies.jar if cookie.name.endswith("sessionid"))
        assert stack.django(code, key=key)
