"""The sync halves of an async request: where they run, and what they cost."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter, thread_time

from asgiref.sync import sync_to_async

from .guard import without_loop
from .inline import Lane


class Half:
    """Calls sync code of an async request where its route's lane says, and measures it."""

    __slots__ = ("lane",)

    def __init__(self, lane: Lane) -> None:
        self.lane = lane

    async def __call__[**P, R](self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        if not self.lane.inline:
            return await sync_to_async(self.measured)(function, *args, **kwargs)
        self.lane.learnt.begin()
        try:
            return without_loop(function, *args, **kwargs)
        finally:
            self.lane.learnt.end()

    def measured[**P, R](self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        started, cpu = perf_counter(), thread_time()
        try:
            return function(*args, **kwargs)
        finally:
            self.lane.learnt.on_pool(perf_counter() - started, thread_time() - cpu)
