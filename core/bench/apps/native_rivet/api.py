"""The native handlers on Rivet; native_bolt/api.py has the same on django-bolt."""

import asyncio
from typing import Annotated, Any

import msgspec
from shop.models import Item
from shop.samples import LARGE

from django_rivet import API, WebSocket, broadcast

api = API()
members: set[WebSocket] = set()


@api.get("/json")
async def json() -> dict[str, str]:
    return {"message": "Hello World"}


@api.get("/json-sync")
def json_sync() -> dict[str, str]:
    return {"message": "Hello World"}


@api.get("/suspend")
async def suspend() -> dict[str, str]:
    await asyncio.sleep(0)
    return {"message": "Hello World"}


@api.get("/items")
def items() -> list[dict[str, Any]]:
    return list(Item.objects.values("id", "name", "price")[:10])


class Order(msgspec.Struct):
    title: str
    price: float
    count: Annotated[int, msgspec.Meta(ge=1)]
    tags: list[str]


@api.get("/typed/{number}")
async def typed(number: int, q: str = "", limit: int = 10) -> dict[str, Any]:
    return {"number": number, "q": q, "limit": limit}


@api.post("/orders")
async def order(order: Order) -> Order:
    return order


@api.get("/large")
async def large() -> list[dict[str, Any]]:
    return LARGE


@api.websocket("/ws/echo")
async def echo(socket: WebSocket) -> None:
    socket.accept()
    while True:
        await socket.send(await socket.receive())


@api.websocket("/ws/broadcast")
async def to_all(socket: WebSocket) -> None:
    socket.accept()
    members.add(socket)
    try:
        while True:
            broadcast(members, await socket.receive())
    finally:
        members.discard(socket)
