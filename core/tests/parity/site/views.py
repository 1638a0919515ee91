"""Views that tell who they think they serve, on every path a request can take."""

import asyncio
import contextvars
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

from asgiref.sync import async_to_sync, sync_to_async
from django.contrib import messages
from django.contrib.auth.models import User
from django.db import connection
from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.template.response import TemplateResponse  # noqa: F401
from django.urls import get_urlconf, path
from django.utils.translation import get_language

SEEN: contextvars.ContextVar[str] = contextvars.ContextVar("seen")


def told(request: HttpRequest, name: str) -> dict[str, Any]:
    """Who is served, by what is bound to the request, the context, the thread; and what an earlier request left."""
    left = SEEN.get(None)
    SEEN.set(name)
    messages.info(request, name)
    return {
        "user": name,
        "language": get_language(),
        "left": left,
        "urlconf": get_urlconf(),
        "messages": [str(message) for message in messages.get_messages(request)],
        "csrf": request.META.get("CSRF_COOKIE"),
    }


def sync(request: HttpRequest) -> HttpResponse:
    return JsonResponse(told(request, request.user.username))


def saves(request: HttpRequest) -> HttpResponse:
    request.session["count"] = request.session.get("count", 0) + 1
    return JsonResponse(told(request, request.user.username))


async def quick(request: HttpRequest) -> HttpResponse:
    return JsonResponse(told(request, (await request.auser()).username))


async def suspends(request: HttpRequest) -> HttpResponse:
    await asyncio.sleep(0.005)
    name = (await request.auser()).username
    answer = told(request, name)
    await asyncio.sleep(0.005)
    return JsonResponse(answer | {"language": get_language(), "seen": SEEN.get()})


async def hops(request: HttpRequest) -> HttpResponse:
    name = (await request.auser()).username
    first = await sync_to_async(threading.current_thread)()
    count = await User.objects.filter(username=name).acount()
    second = await sync_to_async(threading.current_thread)()
    language = await sync_to_async(get_language)()
    return JsonResponse(told(request, name) | {"count": count, "same": first is second, "language": language})


async def asaves(request: HttpRequest) -> HttpResponse:
    """The session is saved after the view, by its middleware."""
    await request.session.aset("count", await request.session.aget("count", 0) + 1)
    return JsonResponse(told(request, (await request.auser()).username))


def bridges(request: HttpRequest) -> HttpResponse:
    async def inner() -> tuple[str, Any]:
        await asyncio.sleep(0)
        return (await request.auser()).username, get_language()

    name, language = async_to_sync(inner)()
    return JsonResponse(told(request, name) | {"language": language})


def stream(request: HttpRequest) -> StreamingHttpResponse:
    def parts() -> Iterator[str]:
        for _ in range(5):
            yield f"{request.user.username} {get_language()} {User.objects.filter(username=request.user).count()}\n"
            time.sleep(0.001)

    return StreamingHttpResponse(parts())


async def astream(request: HttpRequest) -> StreamingHttpResponse:
    async def parts() -> AsyncIterator[str]:
        name = (await request.auser()).username
        for _ in range(5):
            yield f"{name} {get_language()} {await User.objects.filter(username=name).acount()}\n"
            await asyncio.sleep(0.001)

    return StreamingHttpResponse(parts())


async def mixed(request: HttpRequest) -> StreamingHttpResponse:
    """A sync iterator from an async view."""
    await request.auser()
    return stream(request)


def mixed2(request: HttpRequest) -> StreamingHttpResponse:
    """An async iterator from a sync view."""
    return async_to_sync(astream)(request)


def fails(request: HttpRequest) -> HttpResponse:
    told(request, request.user.username)
    raise ValueError("as it should")


async def afails(request: HttpRequest) -> HttpResponse:
    told(request, (await request.auser()).username)
    raise ValueError("as it should")


def file(request: HttpRequest) -> FileResponse:
    return FileResponse(open(__file__, "rb"))


def meta(request: HttpRequest) -> JsonResponse:
    return JsonResponse({key: value for key, value in request.META.items() if isinstance(value, str)})


def post(request: HttpRequest) -> JsonResponse:
    files = {name: [file.name, file.read().decode()] for name, file in request.FILES.items()}
    return JsonResponse({"post": dict(request.POST.lists()), "files": files})


def uses_database(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok")


PATHS = [sync, saves, asaves, quick, suspends, hops, bridges, stream, astream, mixed, mixed2, fails, afails]
urlpatterns = [path(view.__name__, view) for view in (*PATHS, file, meta, post, uses_database)]
