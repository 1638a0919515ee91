"""The native handlers on django-bolt; native_rivet/api.py has the same on Rivet."""

import asyncio
from typing import Annotated

import msgspec
from django_bolt import BoltAPI, WebSocket
from shop.models import Item
from shop.samples import LARGE

api = BoltAPI()
api.mount_django("/django", clear_root_path=True)


class ItemOut(msgspec.Struct):
    id: int
    name: str
    price: int


@api.get("/json")
async def json():
    return {"message": "Hello World"}


@api.get("/json-sync")
def json_sync():
    return {"message": "Hello World"}


@api.get("/suspend")
async def suspend():
    await asyncio.sleep(0)
    return {"message": "Hello World"}


@api.get("/items")
def items() -> list[ItemOut]:
    return [ItemOut(**item) for item in Item.objects.values("id", "name", "price")[:10]]


class Order(msgspec.Struct):
    title: str
    price: float
    count: Annotated[int, msgspec.Meta(ge=1)]
    tags: list[str]


@api.get("/typed/{number}")
async def typed(number: int, q: str = "", limit: int = 10):
    return {"number": number, "q": q, "limit": limit}


@api.post("/orders")
async def order(order: Order) -> Order:
    return order


@api.get("/large")
async def large():
    return LARGE


@api.websocket("/ws/echo")
async def echo(websocket: WebSocket):
    await websocket.accept()
    while True:
        await websocket.send_text(await websocket.receive_text())
