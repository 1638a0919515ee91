"""Coroutines on the loop of an ASGI server: they may stream, and go on after their answer."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from django_rivet import conf
from django_rivet.hatch.answer import Progress
from django_rivet.hatch.channel import Live
from django_rivet.hatch.exchange import Later, finish, late
from django_rivet.hatch.response import Cut, streamed

# A task that nobody holds may be collected: what handlers do after their answers.
_going_on: set[asyncio.Task[Any]] = set()


async def live(django: HttpRequest, later: Later, options: conf.Options) -> HttpResponseBase:
    """Returns when the coroutine has answered or begun to; cancels it when the client leaves before."""
    loop = asyncio.get_running_loop()
    news = asyncio.Event()
    answer = Live(loop, lambda: loop.call_soon_threadsafe(news.set), options.high_water)
    later.request.answer_by(answer)
    task = loop.create_task(later.work(answer))
    _going_on.add(task)
    task.add_done_callback(_going_on.discard)
    task.add_done_callback(lambda _: news.set())

    def leave() -> None:
        if answer.progress != Progress.ENDED and not (answer.progress == Progress.WAITING and task.done()):
            answer.leave()
            task.cancel()

    try:
        async with asyncio.timeout(later.timeout):
            while answer.progress == Progress.WAITING and not task.done():
                news.clear()
                await news.wait()
    except TimeoutError:
        if answer.give_up():
            task.cancel()
            return late(django)
    except asyncio.CancelledError:
        leave()
        raise
    if answer.begun:
        response = streamed(answer.status, answer.fields, _parts(answer, news))
        # On every way out: a response that nobody reads is closed too.
        response._resource_closers.append(leave)  # type: ignore[attr-defined]
        return response
    return finish(django, answer, task.result if task.done() else lambda: None, is_async=True)


async def _parts(answer: Live, news: asyncio.Event) -> AsyncIterator[bytes]:
    while True:
        ended = answer.progress == Progress.ENDED
        data = answer.take()
        if data:
            yield data
        elif ended:
            break
        else:
            await news.wait()
            news.clear()
    if answer.aborted:
        raise Cut("the handler cut its answer")
