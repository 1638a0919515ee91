"""Views that wait until a test lets them go on, and record how they end."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path

GO = threading.Event()
ENDED: list[str] = []
STARTED = threading.Semaphore(0)


def waits(request: HttpRequest) -> HttpResponse:
    STARTED.release()
    assert GO.wait(20)
    return HttpResponse("waited")


def at_once(request: HttpRequest) -> HttpResponse:
    return HttpResponse(threading.current_thread().name)


async def sleeps(request: HttpRequest) -> HttpResponse:
    STARTED.release()
    try:
        await asyncio.sleep(20)
    except asyncio.CancelledError:
        ENDED.append("cancelled")
        raise
    return HttpResponse("slept")


async def shrugs(request: HttpRequest) -> HttpResponse:
    """Takes no notice of being cancelled."""
    STARTED.release()
    try:
        await asyncio.sleep(20)
    except asyncio.CancelledError:
        ENDED.append("cancelled")
    return HttpResponse("all the same")


def endless(request: HttpRequest) -> StreamingHttpResponse:
    def parts() -> Iterator[bytes]:
        try:
            while True:
                yield b"x" * 1000
        finally:
            ENDED.append("closed")

    return StreamingHttpResponse(parts())


async def _parts() -> AsyncIterator[bytes]:
    try:
        while True:
            yield b"x" * 1000
            await asyncio.sleep(0)
    finally:
        ENDED.append("closed")


async def aendless(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(_parts())


async def async_of_sync(request: HttpRequest) -> StreamingHttpResponse:
    return endless(request)


def sync_of_async(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(_parts())


def breaks(request: HttpRequest) -> StreamingHttpResponse:
    def parts() -> Iterator[bytes]:
        yield b"one"
        raise ValueError("as it should")

    return StreamingHttpResponse(parts())


def bad_field(request: HttpRequest) -> HttpResponse:
    response = HttpResponse()
    response.headers._store["x"] = ("X", "a\r\nb")
    return response


ENDLESS = [endless, aendless, async_of_sync, sync_of_async]
urlpatterns = [path(view.__name__, view) for view in (waits, at_once, sleeps, shrugs, breaks, bad_field, *ENDLESS)]
