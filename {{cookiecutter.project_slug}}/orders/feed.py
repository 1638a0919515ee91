"""The live feed: each created or changed order goes to every open page, whichever replica serves it."""

import asyncio
from datetime import datetime
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from msgspec import Struct, to_builtins

from .models import Order

GROUP = "orders"
SECONDS = 2


class OrderData(Struct):
    """An order, for the API and the feed."""

    id: int
    url: str
    title: str
    quantity: int
    status: Order.Status
    status_label: str
    customer: str
    created: datetime
    photo_url: str | None
    thumbnail_url: str | None


def describe(order: Order) -> OrderData:
    status = Order.Status(order.status)
    return OrderData(
        id=order.pk,
        url=order.get_absolute_url(),
        title=order.title,
        quantity=order.quantity,
        status=status,
        status_label=status.label,
        customer=order.user.get_username(),
        created=order.created,
        photo_url=order.photo.url if order.photo else None,
        thumbnail_url=order.thumbnail.url if order.thumbnail else None,
    )


def broadcast(order: Order) -> None:
    async_to_sync(send)(to_builtins(describe(order)))


async def send(order: dict[str, Any]) -> None:
    async with asyncio.timeout(SECONDS):
        await get_channel_layer().group_send(GROUP, {"type": "order.changed", "order": order})
