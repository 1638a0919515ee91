"""The native handlers on django-bolt; native_rivet/api.py has the same on Rivet."""

import asyncio

import msgspec
from django_bolt import BoltAPI, WebSocket
from shop.models import Item

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


@api.websocket("/ws/echo")
async def echo(websocket: WebSocket):
    await websocket.accept()
    while True:
        await websocket.send_text(await websocket.receive_text())
