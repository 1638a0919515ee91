"""Sessions and cache while Redis is cut off, and after it is back with what it held."""

import threading
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import pytest
import redis
from django.conf import settings
from django.core.cache import caches
from pytest_django import Settings

from tests.unit.production import PACKAGE

guarding = import_module(f"{PACKAGE}.cache")
SessionStore = import_module(settings.SESSION_ENGINE).SessionStore
DEADLINE = 10


class FakeRedis:
    """One server for all clients; `away` lets nothing through, and what it holds stays."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.ages: dict[str, int] = {}
        self.away = False
        self.asked = 0

    def execute(self, client: redis.Redis, name: str, *arguments: Any, **options: Any) -> Any:
        self.asked += 1
        if self.away:
            raise redis.TimeoutError
        match name:
            case "SET":
                key, value, *rest = arguments
                self.values[key] = value
                if "PX" in rest:
                    self.ages[key] = rest[rest.index("PX") + 1] // 1000
                return True
            case "GET":
                return self.values.get(arguments[0])
            case "DEL":
                return sum(self.values.pop(key, None) is not None for key in arguments)
            case "EXISTS":
                return int(arguments[0] in self.values)
            case "PING":
                return True
        raise NotImplementedError(name)


@pytest.fixture
def server(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeRedis]:
    fake = FakeRedis()
    monkeypatch.setattr(redis.Redis, "execute_command", lambda *words, **options: fake.execute(*words, **options))
    monkeypatch.setattr(guarding, "PAUSE", 0.01)
    monkeypatch.setattr(guarding, "SETTLE", 0.05)
    settings.CACHES = {
        "default": {
            "BACKEND": "django_redis.cache.RedisCache",
            "LOCATION": f"redis://redis-{id(fake)}:6379/0",
            "OPTIONS": {
                "REDIS_CLIENT_CLASS": f"{PACKAGE}.cache.GuardedRedis",
                "CONNECTION_POOL_CLASS": f"{PACKAGE}.cache.GuardedPool",
                "SERIALIZER": "django_redis.serializers.json.JSONSerializer",
                "IGNORE_EXCEPTIONS": True,
            },
        }
    }
    yield fake
    fake.away = False
    wait_until(cache_is_back)  # no thread of this test reaches into the next


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def cache_is_back() -> bool:
    caches["default"].set("probe", 1, 1)
    return bool(caches["default"].get("probe") == 1)


def new_session(**values: Any) -> Any:
    session = SessionStore()
    session.update(values)
    session.create()
    session.save()
    return session


def load(session: Any) -> Any:
    """As the next request sees it."""
    return SessionStore(session.session_key).load()


def copy_of(server: FakeRedis, session: Any) -> Any:
    return next((value for key, value in server.values.items() if key.endswith(session.session_key)), None)


pytestmark = pytest.mark.django_db


def test_the_copy_is_json_and_lives_for_a_minute(server: FakeRedis) -> None:
    session = new_session(user="ada")
    assert copy_of(server, session) == b'{"user": "ada"}'
    assert set(server.ages.values()) == {60}


def test_a_session_is_read_from_its_copy(server: FakeRedis) -> None:
    session = new_session(user="ada")
    session.model.objects.all().delete()
    assert load(session) == {"user": "ada"}


def test_a_flushed_cache_logs_nobody_out(server: FakeRedis) -> None:
    session = new_session(user="ada")
    server.values.clear()
    assert load(session) == {"user": "ada"}
    assert copy_of(server, session)


def test_sessions_work_while_the_cache_is_away(server: FakeRedis) -> None:
    session = new_session(user="ada")
    server.away = True
    assert load(session) == {"user": "ada"}
    assert load(new_session(user="eve")) == {"user": "eve"}


def test_a_cache_that_is_away_is_not_asked_again(server: FakeRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarding, "PAUSE", 1)
    session = new_session(user="ada")
    server.away = True
    load(session)
    server.asked = 0
    for _ in range(20):
        load(session)
    assert server.asked == 0


def test_who_logs_out_meanwhile_stays_out(server: FakeRedis) -> None:
    """Also when the cache comes back with the copy that it held."""
    session = new_session(user="ada")
    replay = SessionStore(session.session_key)
    server.away = True
    session.flush()
    assert copy_of(server, replay), "the copy is still there"
    server.away = False
    end = time.monotonic() + DEADLINE
    while not cache_is_back():
        assert SessionStore(replay.session_key).load() == {}
        assert time.monotonic() < end
    assert copy_of(server, replay) is None
    assert SessionStore(replay.session_key).load() == {}


def test_changes_made_meanwhile_are_not_lost(server: FakeRedis) -> None:
    session = new_session(theme="light")
    server.away = True
    session["theme"] = "dark"
    session.save()
    server.away = False
    wait_until(cache_is_back)
    assert load(session) == {"theme": "dark"}


def test_other_entries_written_meanwhile_are_forgotten(server: FakeRedis) -> None:
    cache = caches["default"]
    cache.set_many({"a": "old", "b": "old"})
    server.away = True
    assert cache.get("a") is None
    cache.set("a", "new")
    cache.delete("b")
    server.away = False
    wait_until(cache_is_back)
    assert cache.get("a") is None
    assert cache.get("b") is None


def test_one_thread_asks_for_the_cache(server: FakeRedis) -> None:
    cache = caches["default"]
    server.away = True
    cache.get("a")
    menders = [thread for thread in threading.enumerate() if thread.name == "cache-mender"]
    assert len(menders) == 1
    cache.get("a")
    assert [thread for thread in threading.enumerate() if thread.name == "cache-mender"] == menders
