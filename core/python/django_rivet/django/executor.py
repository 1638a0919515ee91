"""sync_to_async on the pool: all blocking code of one request on one thread, taken at its first use.

asgiref runs thread-sensitive code in the executor of the current ThreadSensitiveContext; stock Django makes a context,
and with it a thread, for each request. Here one shared context leads to an executor that looks up the request's pin.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextvars import ContextVar
from functools import partial
from typing import Any, Protocol

from asgiref.sync import SyncToAsync, ThreadSensitiveContext

from .connections import begin_connections, connections_are_tidy, end_connections
from .pool import Pool
from .worker import Worker

_pin: ContextVar[Pin] = ContextVar("django_rivet.pin")


class Promise(Protocol):
    """What a job keeps: a `concurrent.futures.Future`, or the engine's `Waiter`."""

    def set_running_or_notify_cancel(self) -> bool: ...
    def set_result(self, result: Any, /) -> None: ...
    def set_exception(self, exception: BaseException, /) -> None: ...


class Pin:
    """The thread of one request: None until blocking code first asks for one."""

    __slots__ = ("executor", "released", "tidy", "worker")

    def __init__(self, executor: PoolExecutor, worker: Worker | None = None) -> None:
        self.executor = executor
        self.worker = None if worker is None else executor.pool.pin(worker)
        self.released = False
        # Whether the end of the request would find nothing to close on that thread.
        self.tidy = worker is None

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
        self.fulfil(future, partial(fn, *args, **kwargs))
        return future

    def fulfil(self, promise: Promise, function: Callable[[], Any]) -> None:
        """Calls `function` on the thread of the current Context's request, and keeps `promise` with what it gives."""
        pin = _pin.get(None)
        # A native handler's calls find a thread each, and those of a task that outlives its request.
        if pin is None or pin.released:
            pin = None
            worker, first = self.pool.pin(), True
        else:
            first = pin.worker is None
            worker = pin.worker = pin.worker or self.pool.pin()

        def job() -> None:
            if not promise.set_running_or_notify_cancel():
                if pin is None:
                    self.pool.unpin(worker)
                return
            result: Any = None
            raised: BaseException | None = None
            try:
                if first:
                    # The request begins on this thread too: what request_started does to its connections.
                    begin_connections()
                result = function()
            except BaseException as error:
                raised = error
            try:
                if pin is None:
                    self.pool.unpin(worker)
                    end_connections()
                else:
                    pin.tidy = connections_are_tidy()
            except Exception as error:
                raised = raised or error
            if raised is None:
                promise.set_result(result)
            else:
                promise.set_exception(raised)

        self.pool.submit_to(worker, job)
