"""asyncio's event loop on the engine, where other threads reach it by the engine's own way."""

import asyncio
import selectors
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from typing import Any, cast

from django_rivet._core import Reactor
from django_rivet.django.executor import PoolExecutor


class Loop(asyncio.SelectorEventLoop):
    """A loop whose selector is `reactor`."""

    def __init__(self, reactor: Reactor) -> None:
        super().__init__(cast(selectors.BaseSelector, reactor))
        self._waiter = reactor.waiter
        self._wake: Callable[[], None] = reactor.waker()

    def close(self) -> None:
        super().close()
        # The reactor belongs to its thread; who keeps a closed loop keeps nothing open.
        self._wake = _nothing
        del self._waiter

    def _write_to_self(self) -> None:
        # asyncio's own way is a byte through a socket to itself and a callback that reads it: 8 us a call.
        self._wake()

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """As asyncio's. What sync_to_async gives the pool comes back without the two futures that asyncio chains."""
        if not isinstance(executor, PoolExecutor):
            return super().run_in_executor(executor, func, *args)
        waiter = self._waiter()
        executor.fulfil(waiter, partial(func, *args) if args else func)
        return cast(asyncio.Future[Any], waiter)


def _nothing() -> None:
    pass
