"""Serves an API on a thread, as `runrivet` does it, with a client for it."""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
from django.db import close_old_connections

from django_rivet import API
from django_rivet._core import Reactor
from django_rivet.django.pool import Pool
from django_rivet.server.thread import ServerThread

DEADLINE = 10.0


@contextlib.contextmanager
def serving(api: API, **options: Any) -> Iterator[httpx.Client]:
    """A client of a server with the routes of `api`."""

    @contextlib.asynccontextmanager
    async def application(reactor: Reactor):  # type: ignore[no-untyped-def]
        import asyncio

        pool = Pool(4)
        pool.start(asyncio.get_running_loop())
        reactor.pool(pool.submit, close_old_connections)
        reactor.native([(each.method, each.path, each.handler, each.kind, each.settle) for each in api.routes])
        try:
            yield
        finally:
            await asyncio.to_thread(pool.close, 1.0)

    with ServerThread(application, **options) as server, httpx.Client(base_url=server.url, timeout=DEADLINE) as client:
        yield client


def until(condition: Callable[[], Any], what: str) -> Any:
    """Waits until `condition` is true and returns its value."""
    end = time.monotonic() + DEADLINE
    while not (value := condition()):
        assert time.monotonic() < end, f"{what}: not within {DEADLINE} s"
        time.sleep(0.005)
    return value


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
