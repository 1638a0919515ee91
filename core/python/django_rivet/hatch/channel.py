"""The answer of an `async def` handler: its parts go out as they come, and it hears of a client that leaves."""

import asyncio
import threading
from collections.abc import Callable

from django_rivet.hatch.answer import Answer, Progress, gone


class Live(Answer):
    """Between the handler, on `loop`, and who sends, on whatever thread.

    wake: called on any thread when there is something new for who sends. high_water: bytes that may wait for it.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, wake: Callable[[], object], high_water: int) -> None:
        super().__init__(0)
        self._loop = loop
        self._changed = wake  # type: ignore[assignment]
        self._high_water = high_water
        self._parts: list[bytes] = []
        self._pending = 0
        self._room = threading.Condition()
        self._waiting: list[asyncio.Future[None]] = []
        self._callbacks: list[Callable[[], None]] = []

    @property
    def waits(self) -> bool:
        """Whether there is something to take."""
        return bool(self._parts)

    def take(self) -> bytes:
        """What has come since the last call; whoever waits for room has it then."""
        with self._room:
            data = b"".join(self._parts)
            self._parts.clear()
            self._pending = 0
            self._room.notify_all()
        self._tell(self._wake)
        return data

    def leave(self) -> None:
        """The client has gone before the end."""
        with self._room:
            self.gone = True
            self._room.notify_all()
        if self.progress != Progress.ENDED:
            self._tell(self._left_early)

    def give_up(self) -> bool:
        gives_up = super().give_up()
        if gives_up:
            self.gone = True
            self._tell(self._left_early)
        return gives_up

    def drained(self) -> asyncio.Future[None]:
        with self._room:
            future = super().drained() if self.gone or self._pending <= self._high_water else None
        if future is None:
            future = self._loop.create_future()
            self._waiting.append(future)
        return future

    def wait_drained(self, timeout: float) -> bool:
        with self._room:
            drained = self._room.wait_for(lambda: self.gone or self._pending <= self._high_water, timeout)
        if self.gone:
            raise gone()
        return drained

    def on_disconnect(self, callback: Callable[[], None]) -> None:
        if self.gone:
            self._tell(callback)
        elif self.progress != Progress.ENDED:
            self._callbacks.append(callback)

    def _put(self, data: bytes) -> bool:
        with self._room:
            self._parts.append(data)
            self._pending += len(data)
            room = self._pending <= self._high_water
        self._changed()
        return room

    def _tell(self, callback: Callable[[], object]) -> None:
        try:
            self._loop.call_soon_threadsafe(callback)
        except RuntimeError:  # the handler and its loop have ended
            pass

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                if self.gone:
                    future.set_exception(gone())
                else:
                    future.set_result(None)

    def _left_early(self) -> None:
        callbacks, self._callbacks = self._callbacks, []
        self._wake()
        for callback in callbacks:
            callback()
