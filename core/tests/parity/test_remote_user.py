"""The user that a proxy names in the field Remote-User, on each Django and path: as under ASGIHandler, never WSGI's."""

import asyncio
import json
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.test import AsyncClient, override_settings

import fake
from django_rivet.django import DjangoHandler, Pool

STOCK = "django.contrib.auth.middleware.RemoteUserMiddleware"


@pytest.fixture(params=["always", "never"])
def handler(request: pytest.FixtureRequest, engine: fake.Engine, sessions: dict[str, str]) -> Iterator[DjangoHandler]:
    pool = Pool(1)
    with override_settings(
        MIDDLEWARE=[*settings.MIDDLEWARE, STOCK],
        AUTHENTICATION_BACKENDS=["django.contrib.auth.backends.RemoteUserBackend"],
    ):
        yield DjangoHandler(pool, inline=request.param)
        engine.close()
    assert pool.close(10), "a thread did not end"


def user(handler: DjangoHandler, engine: fake.Engine, view: str, field: str) -> str:
    answer = engine.ask(handler, "GET", f"/{view}", [("host", "x"), (field, "ann")])
    assert answer.status == 200
    return str(json.loads(answer.sent)["user"])


@pytest.mark.parametrize("view", ["sync", "quick", "suspends"])
@pytest.mark.parametrize("field", ["remote-user", "http-remote-user", "x-other"])
def test_the_user_is_as_in_stock(handler: DjangoHandler, engine: fake.Engine, view: str, field: str) -> None:
    """In Django 5.2 `auser` still has nobody in the first request."""
    stock = asyncio.run(AsyncClient().get(f"/{view}", headers={field: "ann"})).json()["user"]
    assert user(handler, engine, view, field) == stock
    assert view != "sync" or stock == ("ann" if field == "remote-user" else "")


def test_an_underscore_is_no_hyphen(handler: DjangoHandler, engine: fake.Engine) -> None:
    assert user(handler, engine, "sync", "remote_user") == ""
