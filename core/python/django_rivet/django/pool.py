"""The threads that run blocking code: a fixed number, and a bounded queue in which nobody waits for long."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

from .worker import Worker


class Job(Protocol):
    """What the pool runs. Exactly one of the two is called, unless nobody wants the answer any more."""

    def __call__(self) -> object:
        """Does the work, on a thread of the pool."""

    def wanted(self) -> bool:
        """Whether somebody still waits for it. Asked before the work begins."""

    def refuse(self) -> None:
        """There is no thread for it in time. Called on any thread."""


class Meter(Protocol):
    """Who counts how long jobs wait. Called on any thread."""

    def waited(self, seconds: float) -> None:
        """A job has its thread, or is given up, after so long."""

    def refused(self) -> None:
        """A job got no thread."""


class Pool:
    """`threads` threads. A job waits at most `queue_timeout` seconds for one, and at most `limit` jobs wait; others are
    refused. Close it, or the process does not end.
    """

    def __init__(
        self, threads: int, *, queue_timeout: float = 5.0, limit: int = 1000, meter: Meter | None = None
    ) -> None:
        if threads < 1:
            raise ValueError(f"A pool needs at least one thread, not {threads}.")
        self.queue_timeout = queue_timeout
        self.limit = limit
        self.loop: asyncio.AbstractEventLoop | None = None
        self.workers = [Worker(self, number) for number in range(threads)]
        self._meter = meter
        self._lock = threading.Lock()
        self._idle: list[Worker] = []
        self._waiting: deque[tuple[float, Job]] = deque()
        self._sweep: asyncio.TimerHandle | None = None
        self._closed = False

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Starts the threads, once; `loop` is the one whose thread calls `submit`."""
        self.loop = loop
        for worker in self.workers:
            worker.start()

    def close(self, timeout: float = 30.0) -> bool:
        """Refuses what waits and ends the threads after their jobs. False when one has not ended within `timeout` s."""
        with self._lock:
            self._closed = True
            dropped, self._waiting = self._waiting, deque()
            for worker in self.workers:
                worker.own.put(None)
        for _, job in dropped:
            job.refuse()
        until = time.monotonic() + timeout
        for worker in self.workers:
            if worker.ident is not None:
                worker.join(max(0.0, until - time.monotonic()))
        return not any(worker.is_alive() for worker in self.workers)

    @property
    def busy(self) -> int:
        """How many threads are at work."""
        return len(self.workers) - len(self._idle)

    def submit(self, job: Job) -> None:
        """Runs or refuses `job`. On the loop's thread."""
        if not self._add(job):
            self._refuse(job)

    def _add(self, job: Job) -> bool:
        with self._lock:
            if self._closed:
                return False
            if self._idle:
                self._idle.pop().own.put((time.monotonic(), job))
                return True
            if len(self._waiting) >= self.limit:
                return False
            self._waiting.append((time.monotonic() + self.queue_timeout, job))
            if self._sweep is None and self.loop is not None:
                self._sweep = self.loop.call_later(self.queue_timeout, self._refuse_late)
            return True

    def submit_to(self, worker: Worker, function: Callable[[], object]) -> None:
        """Runs `function()` on this thread, before the jobs that any thread may take. On any thread."""
        with self._lock:
            if worker in self._idle:
                self._idle.remove(worker)
            worker.own.put((time.monotonic(), function))

    def pin(self, worker: Worker | None = None) -> Worker:
        """The thread for all blocking code of one request: `worker`, or an idle one with the fewest requests pinned."""
        with self._lock:
            if worker is None:
                worker = min(self._idle or self.workers, key=lambda worker: worker.pins)
            worker.pins += 1
            return worker

    def unpin(self, worker: Worker) -> None:
        """The request is over."""
        with self._lock:
            worker.pins -= 1

    def next_job(self, worker: Worker) -> Callable[[], object] | None:
        """Waits for the next job of `worker`; None: end."""
        # What `_ready_job` drops must not live on here while the thread waits: its connection ends with it.
        if job := self._ready_job(worker):
            return job
        given = worker.own.get()
        if given is None:
            return None
        since, function = given
        if self._meter:
            self._meter.waited(time.monotonic() - since)
        return function

    def _ready_job(self, worker: Worker) -> Job | None:
        late = []
        found: Job | None = None
        waited = 0.0
        with self._lock:
            if worker.own.empty():
                now = time.monotonic()
                while self._waiting and found is None:
                    deadline, job = self._waiting.popleft()
                    if deadline < now:
                        late.append(job)
                    elif job.wanted():
                        found = job
                        waited = now - deadline + self.queue_timeout
                if found is None:
                    self._idle.append(worker)
        for job in late:
            self._refuse(job, self.queue_timeout)
        if found and self._meter:
            self._meter.waited(waited)
        return found

    def _refuse(self, job: Job, waited: float | None = None) -> None:
        if self._meter:
            self._meter.refused()
            if waited is not None:
                self._meter.waited(waited)
        job.refuse()

    def _refuse_late(self) -> None:
        """Those that have waited too long while no thread became free."""
        now = time.monotonic()
        late = []
        with self._lock:
            self._sweep = None
            while self._waiting and self._waiting[0][0] <= now:
                late.append(self._waiting.popleft()[1])
            if self._waiting and self.loop is not None:
                self._sweep = self.loop.call_later(self._waiting[0][0] - now, self._refuse_late)
        for job in late:
            self._refuse(job, self.queue_timeout)
