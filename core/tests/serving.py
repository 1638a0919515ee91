"""Serves an API on a thread, as `runrivet` does it, with clients that keep cookies."""

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

import httpx
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import close_old_connections
from django.test import Client as DjangoClient

from django_rivet import API, cors
from django_rivet._core import Reactor
from django_rivet.discovery import given
from django_rivet.django.pool import Pool
from django_rivet.origin import origin_check
from django_rivet.server.application import _native_context
from django_rivet.server.thread import ServerThread
from waiting import until as until

DEADLINE = 10.0  # seconds


@contextlib.contextmanager
def serving(api: API, policy: cors.Policy | None = None, *, threads: int = 4, **options: Any) -> Iterator[httpx.Client]:
    """A client of a server with the routes of `api`. policy: what it answers to other origins."""

    @contextlib.asynccontextmanager
    async def application(reactor: Reactor):  # type: ignore[no-untyped-def]
        pool = Pool(threads)
        pool.start(asyncio.get_running_loop())
        reactor.pool(pool.submit, close_old_connections)
        reactor.native(given(api.routes, origin_check()), _native_context(pool))
        if policy:
            reactor.cors(policy.engine())
        try:
            yield
        finally:
            await asyncio.to_thread(pool.close, 1.0)

    with ServerThread(application, **options) as server, another(server.url) as client:
        yield client


def another(url: Any) -> httpx.Client:
    """One more client of the server, with cookies of its own."""
    return httpx.Client(base_url=url, timeout=DEADLINE)


def log_in(client: httpx.Client, user: AbstractBaseUser) -> str:
    """Gives the client a session of the user; returns a CSRF token that goes with it."""
    django = DjangoClient()
    django.force_login(user)
    client.cookies.set(settings.SESSION_COOKIE_NAME, django.cookies[settings.SESSION_COOKIE_NAME].value)
    token = "a" * 32
    client.cookies.set(settings.CSRF_COOKIE_NAME, token)
    return token


def problem(response: httpx.Response, status: int) -> dict[str, Any]:
    """The problem details of an error answer (RFC 9457)."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["status"] == status and body["title"]
    return body


def errors(response: httpx.Response) -> list[tuple[str, str]]:
    """Where a 422 says that something is wrong."""
    return [(each["in"], each.get("name", each.get("pointer"))) for each in problem(response, 422)["errors"]]
