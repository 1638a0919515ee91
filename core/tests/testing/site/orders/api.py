"""Native handlers; the first ones stand in docs/testing.md."""

import asyncio
import threading
from typing import Annotated

import msgspec

from django_rivet import API, Depends, EventStream, Header, Request, ServerSentEvent, SessionAuth, WebSocket
from orders.models import Order

api = API(prefix="/orders")


class NewOrder(msgspec.Struct):
    title: str


@api.get("")
def titles() -> list[str]:
    return [order.title for order in Order.objects.all()]


@api.get("/first")
def first() -> str:
    return titles()[0]


@api.post("")
def create(order: NewOrder) -> dict[str, int]:
    return {"number": Order.objects.create(title=order.title).pk}


@api.get("/news")
async def news() -> EventStream:
    return EventStream(["hello", ServerSentEvent("a\nb", event="bye", id="2")])


@api.websocket("/echo")
async def echo(socket: WebSocket) -> None:
    socket.accept()
    while True:
        await socket.send(await socket.receive())


others = API()
left = threading.Event()


@others.get("/count")
async def count() -> int:
    return await Order.objects.acount()


@others.get("/me/sync", auth=SessionAuth())
@others.post("/me/sync", auth=SessionAuth())
def me(request: Request) -> str:
    return str(request.user)


@others.get("/me/async", auth=SessionAuth())
@others.post("/me/async", auth=SessionAuth())
async def me_async(request: Request) -> str:
    return str(request.user)


@others.get("/memory")
def memory() -> int:
    return Order.objects.using("memory").count()


@others.get("/fails")
async def fails() -> None:
    raise KeyError("of a handler")


@others.get("/cut")
async def cut(request: Request) -> None:
    request.start(200, [])
    request.abort()


@others.get("/breaks/{when}")
async def breaks(request: Request, when: str) -> None:
    request.start(200, [])
    request.write(b"part")
    if when == "later":
        await asyncio.sleep(0.01)
    raise KeyError("amid an answer")


@others.get("/thread")
def thread() -> str:
    return threading.current_thread().name


@others.get("/slow")
async def slow() -> str:
    await asyncio.sleep(0.05)
    return threading.current_thread().name


@others.get("/endless")
async def endless(request: Request) -> None:
    left.clear()
    request.on_disconnect(left.set)
    request.start(200, [("Content-Type", "text/event-stream; charset=utf-8")])
    number = 0
    while True:
        request.write(b"data: %d\n\n" % number)
        number += 1
        await asyncio.sleep(0.01)


@others.get("/facts")
def facts(request: Request) -> dict[str, object]:
    return {"query": request.query_string.decode(), "x": request.header("x-one"), "cookie": request.header("cookie")}


def guest(x_name: Annotated[str, Header()]) -> str:
    return x_name


@others.websocket("/tables/{number}")
async def table(socket: WebSocket, number: int, guest: Annotated[str, Depends(guest)], seats: int = 2) -> None:
    socket.accept()
    await socket.send(f"{guest} at {number} of {seats}")


@others.websocket("/chat")
async def chat(socket: WebSocket) -> None:
    if socket.header("x-denied"):
        socket.deny(401, [("X-Why", "no")], b"go away")
        return
    socket.accept("chat" if "chat" in socket.subprotocols else None)
    message = await socket.receive()
    if message == "fail":
        raise KeyError("of a socket")
    socket.close(3001, "enough")
