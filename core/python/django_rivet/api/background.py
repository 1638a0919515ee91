"""Work after an answer."""

import inspect
import logging
from collections.abc import Callable
from typing import Any

from asgiref.sync import sync_to_async

from django_rivet._core import Request
from django_rivet.api import held
from django_rivet.api.responses import Background, unfinished
from django_rivet.api.sending import Later

logger = logging.getLogger("django_rivet")


async def _run(request: Request, later: Later, background: Background | None, close: Callable[[], Any] | None) -> None:
    try:
        if later is not None:
            await later
        await held.flush(request)
    finally:
        if close is not None:
            await close()
    await work(background)


def then(
    request: Request, later: Later, background: Background | None, close: Callable[[], Any] | None = None
) -> Later:
    """What is left to do: `later`, then `close`, then the work after the answer."""
    if close is None and (background is None or not background.tasks):
        return later
    return _run(request, later, background, close)


async def work(background: Background | None) -> None:
    """Does what a handler has added, each with its own log of what fails."""
    if background is None:
        return
    try:
        for task, args, kwargs in background.tasks:
            try:
                if not inspect.iscoroutinefunction(task):
                    task = sync_to_async(task, thread_sensitive=False)
                done = await task(*args, **kwargs)
                if inspect.isawaitable(done):  # of a lambda, or an object that is called like a function
                    await done
            except Exception:
                logger.exception("work after an answer failed: %r", task)
    finally:
        unfinished.discard(background)
