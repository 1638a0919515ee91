"""What belongs to one request is never seen by another, on any path: users, languages, messages, contexts."""

import json
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
import views
from django.test import override_settings

import fake
from django_rivet.django import DjangoHandler, Pool

LANGUAGES = ("en", "de", "fr")


@pytest.fixture(params=["learn", "always", "never", "stock chain", "async only"])
def handler(request: pytest.FixtureRequest, engine: fake.Engine, sessions: dict[str, str]) -> Iterator[DjangoHandler]:
    from django.conf import settings

    more = {"stock chain": ["middlewares.function"], "async only": ["middlewares.only_async"]}.get(request.param, [])
    pool = Pool(3)
    with override_settings(MIDDLEWARE=[*settings.MIDDLEWARE, *more]):
        handler = DjangoHandler(pool, inline="learn" if more else request.param)
        yield handler
        engine.close()
    assert pool.close(10), "a thread did not end"


def wait(request: fake.Request) -> None:
    assert request.done.wait(30), f"{request.path}: no answer"


@pytest.mark.parametrize("view", [view.__name__ for view in views.PATHS])
def test_interleaved(
    view: str, handler: DjangoHandler, engine: fake.Engine, sessions: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("CRITICAL")
    asked = []
    for _, name, language in product(range(4), sessions, LANGUAGES):
        fields = [("host", "x"), ("cookie", f"sessionid={sessions[name]}"), ("accept-language", language)]
        asked.append((name, language, engine.give(handler, fake.Request("GET", f"/{view}", fields))))
    for name, language, request in asked:
        wait(request)
        assert not request.aborted
        if "fails" in view:
            assert request.status == 500
        elif "stream" in view or "mixed" in view:
            assert (request.status, request.sent.decode()) == (200, f"{name} {language} 1\n" * 5)
        else:
            assert request.status == 200
            answer: dict[str, Any] = json.loads(request.sent)
            assert answer["user"] == name
            assert answer["language"] == language
            assert answer["left"] is None, "a context variable of another request"
            assert answer["messages"] == [name]
            assert answer.get("seen", name) == name
            assert answer.get("same", True), "sync_to_async used two threads"


def test_all_at_once(handler: DjangoHandler, engine: fake.Engine, sessions: dict[str, str]) -> None:
    """Every path at the same time."""
    paths = [view.__name__ for view in views.PATHS if "fails" not in view.__name__]
    asked = []
    for _, path, name in product(range(5), paths, sessions):
        fields = [("host", "x"), ("cookie", f"sessionid={sessions[name]}"), ("accept-language", "de")]
        asked.append((name, engine.give(handler, fake.Request("GET", f"/{path}", fields))))
    for name, request in asked:
        wait(request)
        assert request.status == 200 and name in request.sent.decode(), request.path
        assert not any(other in request.sent.decode() for other in sessions if other != name)
