"""People with the live feed open, each a held WebSocket."""

import asyncio
import json
from collections import Counter
from threading import Thread
from types import TracebackType

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

import stack
from visitor import Visitor


class Crowd:
    """Opened and answered from a thread of its own, whatever the test does meanwhile."""

    def __init__(self, visitor: Visitor, size: int) -> None:
        self.cookie, self.size = visitor.cookie, size
        self.sockets: list[tuple[str, ClientConnection]] = []
        self.loop = asyncio.new_event_loop()
        self.thread = Thread(target=self.loop.run_forever, daemon=True)

    def __enter__(self) -> "Crowd":
        self.thread.start()
        asyncio.run_coroutine_threadsafe(self.open(), self.loop).result(60)
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        asyncio.run_coroutine_threadsafe(self.close(), self.loop).result(60)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()

    async def open(self) -> None:
        gate = asyncio.Semaphore(20)

        async def enter() -> tuple[str, ClientConnection]:
            async with gate:
                socket = await connect(
                    stack.URL.replace("http", "ws", 1) + "/ws/orders/",
                    origin=stack.URL,
                    additional_headers={"Cookie": self.cookie},
                    ssl=stack.tls(),
                    proxy=None,
                    open_timeout=20,
                )
                welcome = json.loads(await asyncio.wait_for(socket.recv(), 20))
                return welcome["replica"], socket

        self.sockets = await asyncio.gather(*(enter() for _ in range(self.size)))

    async def close(self) -> None:
        await asyncio.gather(*(socket.close() for _, socket in self.sockets))

    @property
    def replicas(self) -> Counter[str]:
        """How many sockets each replica serves."""
        return Counter(replica for replica, _ in self.sockets)

    def answering(self) -> Counter[str]:
        """The same, of those that still answer."""
        return asyncio.run_coroutine_threadsafe(self.ask(), self.loop).result(60)

    async def ask(self) -> Counter[str]:
        async def answers(replica: str, socket: ClientConnection) -> str | None:
            try:
                pong = await socket.ping()
            except ConnectionClosed:
                return None
            await asyncio.wait([pong], timeout=15)
            return replica if pong.done() and not pong.exception() else None

        found = await asyncio.gather(*(answers(*held) for held in self.sockets))
        return Counter(replica for replica in found if replica)
