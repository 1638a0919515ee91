"""The live feed: each created or changed order goes to every open page, whichever replica serves it."""

import asyncio
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

from .models import Order

GROUP = "orders"
SECONDS = 2


def as_json(order: Order) -> dict[str, Any]:
    return {
        "id": order.pk,
        "url": order.get_absolute_url(),
        "title": order.title,
        "quantity": order.quantity,
        "status": order.status,
        "status_label": order.get_status_display(),
        "customer": order.user.get_username(),
        "created": order.created.isoformat(),
        "photo_url": order.photo.url if order.photo else None,
        "thumbnail_url": order.thumbnail.url if order.thumbnail else None,
    }


def broadcast(order: Order) -> None:
    async_to_sync(send)(as_json(order))


async def send(order: dict[str, Any]) -> None:
    async with asyncio.timeout(SECONDS):
        await get_channel_layer().group_send(GROUP, {"type": "order.changed", "order": order})
