"""A WebSocket of an async test."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

from django_rivet.testing.base import BaseClient, Prepared
from django_rivet.testing.websocket import arguments, denied, ended

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection


class AsyncSocket:
    """`Socket` with coroutines."""

    def __init__(self, client: BaseClient, connection: ClientConnection) -> None:
        self._client = client
        self._connection = connection
        self.subprotocol = connection.subprotocol

    async def send(self, data: str | bytes) -> None:
        """As `Socket.send`."""
        from websockets.exceptions import ConnectionClosed

        try:
            await self._connection.send(data)
        except ConnectionClosed as error:
            raise ended(self._client, error) from None

    async def receive(self, timeout: float | None = None) -> str | bytes:
        """As `Socket.receive`."""
        from websockets.exceptions import ConnectionClosed

        try:
            async with asyncio.timeout(self._client.timeout if timeout is None else timeout):
                return await self._connection.recv()
        except ConnectionClosed as error:
            raise ended(self._client, error) from None

    async def send_json(self, value: Any) -> None:
        """Sends a value as JSON text."""
        await self.send(json.dumps(value))

    async def receive_json(self, timeout: float | None = None) -> Any:
        """The next message, read as JSON."""
        return json.loads(await self.receive(timeout))

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Closes, and waits for the server's close frame."""
        await self._connection.close(code, reason)


@asynccontextmanager
async def connected(
    client: BaseClient, request: Prepared, subprotocols: Sequence[str], origin: str | None
) -> AsyncGenerator[AsyncSocket]:
    """Opens a WebSocket for as long as the block lasts."""
    given = arguments(client, request, subprotocols, origin)
    from websockets.asyncio.client import connect
    from websockets.exceptions import InvalidStatus

    async with AsyncExitStack() as stack:
        try:
            connection = await stack.enter_async_context(connect(**given))
        except InvalidStatus as error:
            raise denied(client, error) from None
        yield AsyncSocket(client, connection)
