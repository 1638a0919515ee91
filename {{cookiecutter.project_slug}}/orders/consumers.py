import asyncio
import logging
import socket
from contextlib import suppress
from typing import Any

from channels.generic.websocket import AsyncJsonWebsocketConsumer

from .feed import GROUP, SECONDS

MAX_MESSAGE = 64 * 1024
# https://www.iana.org/assignments/websocket/websocket.xhtml#close-code-number
TEXT_ONLY, TOO_LONG, TRY_AGAIN, SIGN_IN = 1003, 1009, 1013, 4401

logger = logging.getLogger(__name__)


class OrderFeed(AsyncJsonWebsocketConsumer):
    async def connect(self) -> None:
        await self.accept()  # a browser is told a closing code only after the handshake
        if not self.scope["user"].is_authenticated:
            await self.close(SIGN_IN)
            return
        try:
            async with asyncio.timeout(SECONDS):
                await self.channel_layer.group_add(GROUP, self.channel_name)
        except Exception as error:  # noqa: BLE001 - whatever the channel layer raises: the page comes again
            logger.warning("the feed is out of reach: %s", type(error).__name__)
            await self.close(TRY_AGAIN)
            return
        await self.send_json({"type": "welcome", "replica": socket.gethostname()})

    async def disconnect(self, code: int) -> None:
        with suppress(Exception):  # the group forgets it by itself
            async with asyncio.timeout(SECONDS):
                await self.channel_layer.group_discard(GROUP, self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None, **kwargs: Any) -> None:
        if text_data is None:
            await self.close(TEXT_ONLY)
        elif len(text_data) > MAX_MESSAGE:
            await self.close(TOO_LONG)
        else:
            try:
                content = await self.decode_json(text_data)
            except (ValueError, RecursionError):
                content = None
            await self.receive_json(content)

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        match content:
            case {"type": "echo", "data": data}:
                await self.send_json({"type": "echo", "data": data})
            case _:
                await self.send_json({"type": "error", "message": 'Send {"type": "echo", "data": ...} as JSON text.'})

    async def order_changed(self, event: dict[str, Any]) -> None:
        await self.send_json({"type": "order", "order": event["order"]})
