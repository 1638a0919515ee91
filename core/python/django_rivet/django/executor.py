"""sync_to_async on the pool: all blocking code of one request on one thread, taken at its first use.

asgiref runs thread-sensitive code in the executor of the current ThreadSensitiveContext; stock Django makes a context,
and with it a thread, for each request. Here one shared context leads to an executor that looks up the request's pin.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextvars import ContextVar
from typing import Any

from asgiref.sync import SyncToAsync, ThreadSensitiveContext
from django.db import close_old_connections, reset_queries

from .pool import Pool
from .worker import Worker

_pin: ContextVar[Pin] = ContextVar("django_rivet.pin")


class Pin:
    """The thread of one request: None until blocking code first asks for one."""

    __slots__ = ("executor", "released", "worker")

    def __init__(self, executor: PoolExecutor, worker: Worker | None = None) -> None:
        self.executor = executor
        self.worker = None if worker is None else executor.pool.pin(worker)
        self.released = False

    def enter(self) -> None:
        """Makes sync_to_async in the current Context use this pin."""
        _pin.set(self)
        SyncToAsync.thread_sensitive_context.set(self.executor.context)

    def release(self) -> None:
        """Gives the thread back, at the end of the request."""
        self.released = True
        if self.worker is not None:
            self.executor.pool.unpin(self.worker)
            self.worker = None


class PoolExecutor(Executor):
    """What asgiref submits to."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.context = ThreadSensitiveContext()
        # The public way, ThreadSensitiveContext(executor=...), is only in new versions of asgiref and good for one
        # request. This table is where it, and every older version, keeps the executor.
        SyncToAsync.context_to_thread_executor[self.context] = self

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        pin = _pin.get()
        # A task may outlive its request: its calls find a thread of their own, each time.
        last = pin.released
        first = pin.worker is None
        worker = pin.worker or self.pool.pin()
        if not last:
            pin.worker = worker

        def job() -> None:
            try:
                if not future.set_running_or_notify_cancel():
                    return
                if first:
                    # The request begins on this thread too: what request_started does to its connections.
                    reset_queries()
                    close_old_connections()
                result = fn(*args, **kwargs)
                if last:
                    close_old_connections()
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(result)
            finally:
                if last:
                    self.pool.unpin(worker)

        self.pool.submit_to(worker, job)
        return future
