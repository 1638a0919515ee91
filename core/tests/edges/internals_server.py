"""Serves until its standard input ends; the asyncio that it imports may be a changed one."""

import asyncio
import sys
import threading

from asgiref.sync import sync_to_async
from django.db import connection
from django.http import HttpResponse
from django.urls import path

from configured import configure

configure(ROOT_URLCONF=__name__)

from django_rivet import API, HTTPError, Request, Response, conf  # noqa: E402
from django_rivet import django as views  # noqa: E402
from django_rivet.server.application import application  # noqa: E402
from django_rivet.server.thread import ServerThread  # noqa: E402

api = API()


def asked() -> None:
    """Blocking code that Django refuses beside a loop."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


@api.get("/ready")
async def ready() -> str:
    return "ready"


@api.get("/sleeps")
async def sleeps() -> str:
    await asyncio.sleep(0)
    await asyncio.sleep(0.01)
    return "sleeps"


@api.get("/timers")
async def timers() -> str:
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    loop.call_later(0.01, loop.call_soon, future.set_result, "timers")
    result: str = await asyncio.wait_for(future, 5)
    return result


@api.get("/pool")
async def pool() -> str:
    await sync_to_async(asked)()
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    threading.Thread(target=loop.call_soon_threadsafe, args=(future.set_result, "pool")).start()
    result: str = await future
    return result


@api.get("/sync")
def sync() -> str:
    asked()
    return "sync"


@api.get("/inline", inline=True)
def inline(request: Request) -> str:
    asked()
    return "inline"


@api.get("/blocking", blocking=True)
def blocking() -> str:
    asked()
    return "blocking"


@api.get("/settled")
async def settled() -> Response[str]:
    await asyncio.sleep(0)
    return Response("settled")


@api.get("/cancelled")
async def cancelled() -> str:
    task = asyncio.create_task(asyncio.sleep(30))
    await asyncio.sleep(0)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        return "cancelled"
    raise HTTPError(500)


@api.get("/stream")
async def stream(request: Request) -> None:
    request.start(200, [])
    for _ in range(64):
        if not request.write(b"x" * (64 << 10)):
            await request.drained()
    request.end()


def view(request: object) -> HttpResponse:
    """One of Django's."""
    asked()
    return HttpResponse("view")


@views.inline
def inline_view(request: object) -> HttpResponse:
    """One of Django's that says it never blocks."""
    asked()
    return HttpResponse("inline-view")


async def async_view(request: object) -> HttpResponse:
    """One of Django's."""
    await asyncio.sleep(0)
    await sync_to_async(asked)()
    return HttpResponse("async-view")


urlpatterns = [path("view", view), path("inline-view", inline_view), path("async-view", async_view)]


def main() -> None:
    """Says where it listens."""
    options = conf.options()

    from django_rivet import discovery

    discovery._routers = lambda: [("api", api)]
    with ServerThread(application(options)) as server:
        print(server.url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
