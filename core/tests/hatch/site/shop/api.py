"""Native handlers of every kind."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

import msgspec
from asgiref.sync import sync_to_async
from django.db import connection
from django.shortcuts import redirect

from django_rivet import (
    API,
    Background,
    Depends,
    EventStream,
    Header,
    HTTPError,
    Request,
    Response,
    ServerSentEvent,
    Stream,
)
from django_rivet.openapi import Docs
from shop import limits, members, sockets
from shop.asked import seen

api = API()
api.include(Docs("/described", title="Shop"))


class Point(msgspec.Struct):
    """Something that json does not know."""

    x: int
    y: int


VALUES: dict[str, Any] = {
    "dict": {"a": [1, None, "ü"]},
    "list": [],
    "struct": Point(1, 2),
    "float": 1.5,
    "str": "grüße",
    "bytes": b"\0\xff",
    "none": None,
    "object": object(),
}


@api.get("/values/sync/{name}")
def sync_value(name: str) -> Any:
    return VALUES[name]


@api.get("/values/async/{name}")
async def async_value(name: str) -> Any:
    return VALUES[name]


@api.get("/values/suspends/{name}")
async def suspended_value(request: Request, name: str) -> Any:
    await asyncio.sleep(0.001)
    return VALUES[name]


@api.get("/undeclared/sync/{name}")
def sync_undeclared(name: str) -> Point:
    value: Point = VALUES[name]
    return value


@api.get("/undeclared/async/{name}", returns=Point)
async def async_undeclared(name: str) -> Any:
    return VALUES[name]


@api.get("/items/{number}")
async def read_item(number: str) -> dict[str, str]:
    return {"read": number}


@api.post("/items/{id}")
def write_item(id: str) -> dict[str, str]:
    return {"written": id}


@api.get("/items/special")
def special() -> str:
    return "special"


@api.get("/two/{a}/x/{b}", name="both")
async def two(a: str, b: str) -> list[str]:
    return [a, b]


@api.get("/plain~(path)")
def plain() -> str:
    return "plain"


def _facts(request: Request) -> dict[str, Any]:
    return {
        "method": request.method,
        "path": request.path,
        "raw_path": request.raw_path.decode(),
        "query": request.query_string.decode(),
        "http_version": request.http_version,
        "scheme": request.scheme,
        "client": request.client and request.client[0],
        "id": len(request.id),
        "header": request.header("X-One"),
        "cookie": request.header("Cookie"),
        "missing": request.header("X-Two"),
        "sent": sorted(name.decode() for name, _ in request.headers if name.startswith(b"x-")),
        "length": request.content_length,
        "body": len(request.body),
        "file": len(request.file.read()),
        "last": request.body[-3:].decode(),
        "disconnected": request.disconnected,
        "meta": {key: request.meta().get(key) for key in ("REQUEST_METHOD", "PATH_INFO", "HTTP_X_ONE")},
    }


@api.post("/facts/sync/{name}")
def sync_facts(request: Request, name: str) -> dict[str, Any]:
    return _facts(request)


@api.post("/facts/async/{name}")
async def async_facts(request: Request, name: str) -> dict[str, Any]:
    return _facts(request)


FIELDS = [
    ("X-One", "1"),
    ("Link", "<a>"),
    ("Link", "<b>"),
    ("Set-Cookie", "a=1; Path=/"),
    ("Set-Cookie", "b=2; Path=/"),
]


@api.get("/respond/sync")
def sync_respond(request: Request) -> None:
    request.respond(418, FIELDS, b"by myself")


@api.get("/respond/async")
async def async_respond(request: Request) -> None:
    await asyncio.sleep(0.001)
    request.respond(418, [(name.encode(), value) for name, value in FIELDS], b"by myself")


def _mistakes(request: Request) -> bytes:
    said = []
    for status, fields in ((99, []), (200, [("a b", "")]), (200, [("a", "b\r\nc: d")])):
        try:
            request.respond(status, fields, b"")
        except ValueError as error:
            said.append(str(error))
    for call in (lambda: request.write(b""), request.end):
        try:
            call()
        except RuntimeError as error:
            said.append(str(error))
    request.respond(200, [("Content-Type", "text/plain")], "\n".join(said).encode())
    for call in (lambda: request.respond(200, [], b""), lambda: request.start(200, []), request.end):
        try:
            call()
        except RuntimeError as error:
            seen.append(f"mistake: {error}")
    return b"too late"


@api.get("/mistakes/sync")
def sync_mistakes(request: Request) -> bytes:
    return _mistakes(request)


@api.get("/mistakes/async")
async def async_mistakes(request: Request) -> bytes:
    return _mistakes(request)


@api.get("/seen/{word}")
async def read_seen(word: str) -> list[str]:
    return [each for each in seen if each.startswith(word)]


@api.get("/stream/sync")
def sync_stream(request: Request) -> None:
    request.start(200, [("Content-Type", "text/plain")])
    for number in range(100):
        request.write(b"%3d," % number * 1000)
    request.end()


@api.get("/stream/async")
async def async_stream(request: Request) -> None:
    request.start(200, [("Content-Type", "text/plain")])
    for number in range(100):
        if not request.write(b"%3d," % number * 1000):
            await request.drained()
    request.end()


@api.get("/stream/sized")
async def sized_stream(request: Request) -> None:
    request.start(200, [("Content-Length", "6")])
    request.write(b"one")
    await asyncio.sleep(0)
    request.write(b"two")
    request.end()


@api.get("/stream/short")
async def short_stream(request: Request) -> None:
    request.start(200, [("Content-Length", "6")])
    request.write(b"one")
    request.end()


@api.get("/stream/aborted")
async def aborted_stream(request: Request) -> None:
    request.start(200, [])
    request.write(b"one")
    await asyncio.sleep(0.01)
    request.abort()


@api.get("/stream/forgotten")
async def forgotten_stream(request: Request) -> None:
    request.start(200, [])
    request.write(b"one")
    await asyncio.sleep(0.01)


@api.get("/stream/forgotten/sync")
def forgotten_sync_stream(request: Request) -> None:
    request.start(200, [])
    request.write(b"one")


@api.get("/stream/failed")
async def failed_stream(request: Request) -> None:
    request.start(200, [])
    request.write(b"one")
    raise KeyError("amid a stream")


@api.get("/stream/live/{name}")
async def live_stream(request: Request, name: str) -> None:
    """Its second part comes only when another request has asked for it."""
    request.start(200, [("Content-Type", "text/event-stream")])
    request.write(b"data: one\n\n")
    while f"go on {name}" not in seen:
        await asyncio.sleep(0.01)
    request.write(b"data: two\n\n")
    request.end()


@api.post("/say/{word}")
def say(word: str) -> None:
    seen.append(word)


@api.get("/endless/{name}")
async def endless(request: Request, name: str) -> None:
    request.on_disconnect(lambda: seen.append(f"{name} left"))
    request.start(200, [])
    try:
        while True:
            if not request.write(b"x" * 10_000):
                await request.drained()
            await asyncio.sleep(0.005)
    except (asyncio.CancelledError, OSError):
        seen.append(f"{name} ended {request.disconnected}")
        raise


async def _wait(name: str) -> None:
    seen.append(f"waits {name} begun")
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        seen.append(f"waits {name} cancelled")
        raise


@api.get("/waits/request")
async def waits_with_request(request: Request) -> None:
    await _wait("request")


@api.get("/waits/none")
async def waits() -> None:
    await _wait("none")


@api.get("/thread")
async def thread(request: Request) -> int:
    return await sync_to_async(threading.get_ident)()


@api.get("/after/{name}")
async def after(request: Request, name: str) -> None:
    request.respond(200, [], b"done")
    await asyncio.sleep(0.05)
    seen.append(f"after {name}")


@api.get("/file/sync")
def sync_file(request: Request) -> None:
    request.send_file(200, [("Content-Type", "application/x-test")], __file__)


@api.get("/file/async")
async def async_file(request: Request) -> None:
    with open(__file__, "rb") as file:
        request.send_file(206, [("Content-Range", "bytes 256-299/*")], file.fileno(), 256, 44)


@api.get("/file/missing")
async def missing_file(request: Request) -> None:
    request.send_file(200, [], "/nowhere")


@api.get("/fails/{how}")
async def fails(how: str) -> None:
    raise KeyError(f"secret {how}")


@api.get("/fails/sync/{how}")
def fails_sync(request: Request, how: str) -> None:
    raise KeyError(f"secret {how}")


def _two() -> Any:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 + 1")
        return cursor.fetchone()[0]


@api.get("/database/sync", blocking=True)
def sync_database() -> Any:
    return _two()


@api.get("/database/async")
async def async_database() -> Any:
    return await sync_to_async(_two)()


@api.get("/database/request")
async def request_database(request: Request) -> Any:
    return await sync_to_async(_two)()


class SoldOut(Exception):
    """Has a handler of its own."""


@api.exception(SoldOut)
def sold_out(request: Request, error: SoldOut) -> Response[str]:
    return Response("sold out", status=409)


def _order(number: int, full: bool, language: str) -> Any:
    match number:
        case 99:
            raise HTTPError(404, "There is no order 99.")
        case 98:
            raise SoldOut
        case 97:
            return redirect("/items/97")
        case 96:
            return EventStream([ServerSentEvent(1, event="sale")])
        case 95:
            return Stream(iter(["one ", "two ", "three"]), content_type="application/octet-stream")
        case 94:
            return Response(Point(1, 2), status=201)
    return [number, full, language]


type Language = Annotated[str, Header("Accept-Language")]


@api.get("/typed/sync/{number}")
def typed_sync(number: int, language: Language = "en", full: bool = False) -> Any:
    return _order(number, full, language)


@api.get("/listed")
def listed(x_tag: Annotated[list[str], Header()]) -> list[str]:
    return x_tag


@api.get("/typed/async/{number}")
async def typed_async(number: int, language: Language = "en", full: bool = False) -> Any:
    await asyncio.sleep(0)
    return _order(number, full, language)


@api.post("/typed/sync/{number}", status=201)
def typed_body_sync(number: int, point: Point) -> Point:
    return Point(point.y, point.x)


@api.post("/typed/async/{number}", status=201)
async def typed_body_async(number: int, point: Point) -> Point:
    return Point(point.y, point.x)


def sync_kind() -> Iterator[str]:
    yield "sync"
    seen.append("later sync ended")


async def async_kind() -> AsyncIterator[str]:
    yield "async"
    seen.append("later async ended")


def _work(kind: str) -> None:
    seen.append(f"later {kind} worked")


@api.get("/later/sync/{name}")
def later_sync(name: str, kind: Annotated[str, Depends(sync_kind)], after: Background) -> Response[str]:
    after.add(_work, kind)
    return Response("answered")


@api.get("/later/async/{name}")
async def later_async(name: str, kind: Annotated[str, Depends(async_kind)], after: Background) -> Response[str]:
    after.add(_work, kind)
    return Response("answered")


for each in (limits, members, sockets):
    api.include(each.router)
