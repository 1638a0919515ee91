"""Coroutines under WSGI: each on a loop in a thread of its own while it lasts.

asgiref's async_to_sync ends its loop with the call, and a stream begins after it; so here the loop lives on while the
request's thread hands out the parts. Meanwhile that thread runs what the coroutine gives to sync_to_async, so that
database connections stay those of the request's thread.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextvars import Context
from queue import Empty, SimpleQueue
from typing import Any

from asgiref.sync import SyncToAsync, ThreadSensitiveContext
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from django_rivet import conf
from django_rivet.hatch.answer import Progress
from django_rivet.hatch.channel import Live
from django_rivet.hatch.exchange import Later, finish, late
from django_rivet.hatch.response import Cut, streamed


class Here(Executor):
    """Runs what is submitted on the thread that waits in `until`."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[Callable[[], object]] = SimpleQueue()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()

        def job() -> None:
            if not future.set_running_or_notify_cancel():
                return
            before = getattr(SyncToAsync.threadlocal, "main_event_loop", None)
            try:
                future.set_result(fn(*args, **kwargs))
            except BaseException as error:
                future.set_exception(error)
            finally:
                # asgiref leaves our loop there: the thread's next async_to_sync would wait for one that is ending.
                SyncToAsync.threadlocal.main_event_loop = before

        self._jobs.put(job)
        return future

    def wake(self) -> None:
        """Has `until` look at its condition again."""
        self._jobs.put(lambda: None)

    def until(self, condition: Callable[[], bool], seconds: float | None = None) -> None:
        """Works until the condition holds, or, between two jobs, the time is over."""
        end = None if seconds is None else time.monotonic() + seconds
        while not condition():
            try:
                self._jobs.get(timeout=None if end is None else max(0.0, end - time.monotonic()))()
            except Empty:
                return


class Run:
    """One coroutine on its loop. All but `_main` is for the request's thread."""

    def __init__(self, later: Later, options: conf.Options) -> None:
        self.here = Here()
        self.loop = asyncio.new_event_loop()
        self.answer = Live(self.loop, self.here.wake, options.high_water)
        self.result: Future[HttpResponseBase | None] = Future()
        self._later = later
        self._task: asyncio.Task[object] | None = None

    def begin(self) -> None:
        """Starts it."""
        self._later.request.answer_by(self.answer)
        main = lambda: Context().run(self._main)  # noqa: E731  the thread's own context may be a copy of ours
        threading.Thread(target=main, name="rivet-wsgi", daemon=True).start()

    def _main(self) -> None:
        # See django_rivet.django.executor: asgiref's table is the way that all its versions have.
        context = ThreadSensitiveContext()
        SyncToAsync.context_to_thread_executor[context] = self.here
        SyncToAsync.thread_sensitive_context.set(context)
        try:
            with asyncio.Runner(loop_factory=lambda: self.loop) as runner:
                self.result.set_result(runner.run(self._handle()))
        except BaseException as error:
            self.result.set_exception(error)
        finally:
            # Its tasks have ended with its loop: nobody is left to end what was begun.
            if self.answer.progress == Progress.STARTED:
                self.answer.abort()
            self.here.wake()

    async def _handle(self) -> HttpResponseBase | None:
        self._task = asyncio.current_task()
        return await self._later.work(self.answer)

    def finish(self) -> None:
        """Waits for the handler's end, after its answer; one whose client has gone is cancelled."""
        if self.answer.progress != Progress.ENDED and not self.result.done():
            self.cancel()
        self.here.until(self.result.done)

    def cancel(self) -> None:
        """Tells the coroutine that nobody waits for it."""
        self.answer.leave()
        try:
            self.loop.call_soon_threadsafe(self._cancel)
        except RuntimeError:  # it has just ended
            pass

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def parts(self, silent: bool) -> Iterator[bytes]:
        """What the handler writes."""
        answer = self.answer
        while True:
            ended = answer.progress == Progress.ENDED
            if (data := answer.take()) and not silent:
                yield data
            elif ended:
                break
            else:
                self.here.until(lambda: answer.waits or answer.progress == Progress.ENDED)
        if answer.aborted:
            raise Cut("the handler cut its answer")


def live(django: HttpRequest, later: Later, options: conf.Options) -> HttpResponseBase:
    """Returns when the coroutine has answered or begun to. What it does after that ends before the next request."""
    run = Run(later, options)
    run.begin()
    answer = run.answer
    run.here.until(lambda: answer.progress != Progress.WAITING or run.result.done(), later.timeout)
    if not run.result.done() and answer.progress == Progress.WAITING and answer.give_up():
        run.cancel()
        response: HttpResponseBase = late(django)
    elif answer.begun:
        response = streamed(answer.status, answer.fields, run.parts(django.method == "HEAD"))
    else:
        result = run.result.result if run.result.done() else lambda: None
        response = finish(django, answer, result, is_async=False)
    response._resource_closers.append(run.finish)  # type: ignore[attr-defined]
    return response
