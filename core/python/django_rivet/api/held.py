"""Answers to which something is added: by Django's middleware where the session or a CSRF token was used, by throttles.
"""

import os
from collections.abc import Callable, Coroutine
from typing import Any, cast

from asgiref.sync import sync_to_async

from django_rivet._core import Request
from django_rivet.api.blocking import may_block
from django_rivet.api.conditional import Tagged

type Fields = list[tuple[str, str]]
type Later = Coroutine[Any, Any, None] | None


class Held:
    """A request in the place of its own, whose answers are completed.

    Where a loop runs and the session must be saved first, an answer waits for `flush`.
    """

    def __init__(self, core: Request) -> None:
        self.core = core
        self._fields: Fields | None = None
        self._answer: Callable[[Fields], None] | None = None
        self._status = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.core, name)

    def respond(self, status: int, headers: Any, body: bytes) -> None:
        self._give(status, lambda fields: self.core.respond(status, [*headers, *fields], body))

    def start(self, status: int, headers: Any) -> None:
        """Where it must not block, `prepare` comes before."""
        self.core.start(status, [*headers, *self._known(status)])

    def send_file(self, status: int, headers: Any, file: int, offset: int = 0, count: int | None = None) -> None:
        if not self._waits:
            return self.core.send_file(status, [*headers, *self._known(status)], file, offset, count)
        kept = os.dup(file)  # the response closes its own

        def send(fields: Fields) -> None:
            try:
                self.core.send_file(status, [*headers, *fields], kept, offset, count)
            finally:
                os.close(kept)

        return self._give(status, send)

    @property
    def _waits(self) -> bool:
        return self._fields is None and self.core._inside.blocks and not may_block()

    def _known(self, status: int) -> Fields:
        return self.core._inside.fields(status) if self._fields is None else self._fields

    def _give(self, status: int, answer: Callable[[Fields], None]) -> None:
        if self._waits:
            self._status, self._answer = status, answer
        else:
            answer(self._known(status))

    async def prepare(self, status: int) -> None:
        """Saves the session for an answer that is about to start."""
        if self._waits:
            self._fields = await sync_to_async(self.core._inside.fields)(status)

    async def flush(self) -> None:
        """Gives the answer that waits."""
        answer, self._answer = self._answer, None
        if answer is not None:
            await self.prepare(self._status)
            answer(self._known(self._status))

    @property
    def pending(self) -> bool:
        """Whether an answer waits."""
        return self._answer is not None


def hold(request: Request) -> Request:
    """The request for who answers it."""
    return cast(Request, Held(request))


def original(request: Request) -> Request:
    """The request as its handler has it."""
    while isinstance(request, Held | Tagged):
        request = request.core
    return request


async def begin(request: Request, status: int, headers: list[tuple[str, str]]) -> None:
    """Starts an answer that comes in parts."""
    if isinstance(request, Held):
        await request.prepare(status)
    request.start(status, headers)


async def flush(request: Request) -> None:
    """Gives the answer now, if it waits."""
    if isinstance(request, Held):
        await request.flush()


def after(request: Request, later: Later, failed: Callable[[Request, Exception], Later]) -> Later:
    """What is left to do for the answer to be given, `later` first; `failed` answers when the session is not saved."""
    if later is None and not (isinstance(request, Held) and request.pending):
        return None
    return _after(request, later, failed)


async def _after(request: Request, later: Later, failed: Callable[[Request, Exception], Later]) -> None:
    if later is not None:
        await later
    try:
        await flush(request)
    except Exception as error:
        if again := failed(request, error):
            await again
        await flush(request)
