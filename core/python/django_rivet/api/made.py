"""A handler's value together with what is to be done when it has become an answer."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack, ExitStack
from typing import Any

import msgspec

from django_rivet._core import Request
from django_rivet.api.responses import Background


class Made:
    """What a bound handler returns where its value alone does not say all. msgspec does not know it: it is settled."""

    __slots__ = ("background", "context", "stack", "value")

    def __init__(self, value: Any, stack: ExitStack | AsyncExitStack | None, background: Background | None) -> None:
        self.value = value
        self.stack = stack
        self.background = background
        task = asyncio.current_task() if isinstance(stack, AsyncExitStack) else None
        self.context = task.get_context() if task else None


def answering(status: int, takes_request: bool) -> Callable[[Request, Any], Made | None]:
    """What answers with JSON and this status at once, and leaves any other value to the route's `settle`.

    takes_request: somebody may have used the request's session, and the answer is for `settle` then too.
    """
    encode = msgspec.json.Encoder().encode
    fields = [("Content-Type", "application/json")]

    def answer(request: Request, value: Any) -> Made | None:
        if value is None or isinstance(value, str | bytes):
            return Made(value, None, None)
        try:
            body = encode(value)
        except TypeError:
            return Made(value, None, None)
        request.respond(status, fields, body)
        return None

    def answer_untouched(request: Request, value: Any) -> Made | None:
        return Made(value, None, None) if request._touched else answer(request, value)

    return answer_untouched if takes_request else answer


def unwind(stack: ExitStack, error: BaseException) -> None:
    """Has the generators see the handler's error, which goes on in any case."""
    stack.__exit__(type(error), error, error.__traceback__)


async def unwind_async(stack: AsyncExitStack, error: BaseException) -> None:
    """As `unwind`."""
    await stack.__aexit__(type(error), error, error.__traceback__)
