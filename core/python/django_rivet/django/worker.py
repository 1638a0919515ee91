"""One thread of the pool."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from contextvars import Context
from queue import SimpleQueue
from typing import TYPE_CHECKING

from asgiref.sync import SyncToAsync
from django.db import connections

from .contexts import thread_context

if TYPE_CHECKING:
    from .pool import Pool

logger = logging.getLogger("django_rivet")


class _Current(threading.local):
    worker: Worker


current = _Current()


class Worker(threading.Thread):
    """Runs the jobs of its own queue, which must run here, and between them those of the pool."""

    def __init__(self, pool: Pool, number: int) -> None:
        super().__init__(name=f"rivet-pool-{number}")
        self.pool = pool
        # Each with the time.monotonic() since which it waits; None: end.
        self.own: SimpleQueue[tuple[float, Callable[[], object]] | None] = SimpleQueue()
        # Requests whose blocking code runs here.
        self.pins = 0
        self.context = Context()

    def run(self) -> None:
        current.worker = self
        _be_batch()
        if self.pool.loop is not None:
            # async_to_sync in a sync view then runs on the loop, as under ASGI, not on a new one in a new thread.
            SyncToAsync.threadlocal.main_event_loop = self.pool.loop
            SyncToAsync.threadlocal.main_event_loop_pid = os.getpid()
        self.context = thread_context()
        try:
            while (job := self.pool.next_job(self)) is not None:
                try:
                    job()
                except BaseException:  # jobs answer for themselves: this is the last line of defence
                    logger.exception("A job of the thread pool failed.")
                del job
        finally:
            connections.close_all()


def _be_batch() -> None:
    # A woken batch thread does not preempt the I/O thread: 94 -> 65 us a request on one core (docs).
    try:
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    except (AttributeError, OSError):
        pass
