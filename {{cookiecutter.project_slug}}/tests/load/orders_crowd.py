"""People with the live feed open, each a held WebSocket."""

import asyncio
import json
from collections import Counter

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from sockets import dial, receive, wait
from visitor import Visitor


class Crowd:
    def __init__(self, visitor: Visitor, size: int) -> None:
        self._cookie, self._size = visitor.cookie, size
        self._sockets: list[tuple[str, ClientConnection]] = []

    def __enter__(self) -> "Crowd":
        wait(self._open())
        return self

    def __exit__(self, *error: object) -> None:
        wait(self._close())

    async def _open(self) -> None:
        gate = asyncio.Semaphore(20)

        async def enter() -> tuple[str, ClientConnection]:
            async with gate:
                socket = await dial("/ws/orders/", self._cookie)
                return json.loads(await receive(socket, 20))["replica"], socket

        self._sockets = await asyncio.gather(*(enter() for _ in range(self._size)))

    async def _close(self) -> None:
        await asyncio.gather(*(socket.close() for _, socket in self._sockets))

    @property
    def replicas(self) -> Counter[str]:
        """How many sockets each replica serves."""
        return Counter(replica for replica, _ in self._sockets)

    @property
    def codes(self) -> set[int]:
        """With which codes sockets were closed."""
        return {socket.close_code for _, socket in self._sockets if socket.close_code is not None}

    def answering(self) -> Counter[str]:
        """The same, of those that still answer."""
        return wait(self._ask())

    async def _ask(self) -> Counter[str]:
        async def answers(replica: str, socket: ClientConnection) -> str | None:
            try:
                pong = await socket.ping()
            except ConnectionClosed:
                return None
            await asyncio.wait([pong], timeout=15)
            return replica if pong.done() and not pong.exception() else None

        found = await asyncio.gather(*(answers(*held) for held in self._sockets))
        return Counter(replica for replica in found if replica)
