"""Sends answers that come in parts."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from asgiref.sync import sync_to_async
from django.db import close_old_connections

from django_rivet._core import Request
from django_rivet.api.held import begin
from django_rivet.api.responses import EventStream, ServerSentEvent

_PING = b": ping\n\n"


async def send(request: Request, status: int, headers: list[tuple[str, str]], chunks: AsyncGenerator[bytes]) -> None:
    """Sends the chunks while the client keeps up. The answer starts with the first one: an error before it is a whole
    answer. Returns early when the client goes."""
    async with contextlib.aclosing(chunks) as source:
        if request.method == "HEAD":
            return request.respond(status, headers, b"")
        first = await anext(source, b"")
        await begin(request, status, headers)
        try:
            if first and not request.write(first):
                await request.drained()
            async for chunk in source:
                if chunk and not request.write(chunk):
                    await request.drained()
        except OSError:
            if not request.disconnected:
                raise
            return None
        return request.end()


async def send_events(request: Request, status: int, headers: list[tuple[str, str]], stream: EventStream) -> None:
    """Sends events, and a comment where there are none for long. Starts at once: the client waits for it."""
    if request.method == "HEAD":
        return request.respond(status, headers, b"")
    await begin(request, status, headers)
    loop = asyncio.get_running_loop()
    quiet_since = loop.time()
    timer: asyncio.TimerHandle | None = None

    def ping() -> None:
        nonlocal timer, quiet_since
        due = quiet_since + stream.ping
        if loop.time() >= due:
            if request.disconnected:
                return
            request.write(_PING)
            quiet_since = loop.time()
            due = quiet_since + stream.ping
        timer = loop.call_at(due, ping)

    if stream.ping:
        timer = loop.call_at(quiet_since + stream.ping, ping)
    try:
        async with contextlib.aclosing(each(stream.events)) as events:
            async for event in events:
                data = bytes(event if isinstance(event, ServerSentEvent) else ServerSentEvent(event))
                quiet_since = loop.time()
                if not request.write(data):
                    await request.drained()
    except OSError:
        if not request.disconnected:
            raise
        return None
    finally:
        if timer:
            timer.cancel()
    return request.end()


async def encoded(chunks: AsyncIterable[Any] | Iterable[Any]) -> AsyncGenerator[bytes]:
    """The chunks of a stream as bytes."""
    async with contextlib.aclosing(each(chunks)) as source:
        async for chunk in source:
            yield _bytes(chunk)


def _bytes(chunk: Any) -> bytes:
    if isinstance(chunk, str):
        return chunk.encode()
    if isinstance(chunk, bytes | bytearray | memoryview):
        return bytes(chunk)
    raise TypeError(f"a Stream sends bytes or str, and was given {type(chunk).__qualname__}")


async def each(values: AsyncIterable[Any] | Iterable[Any]) -> AsyncGenerator[Any]:
    """The values of any iterator; one that may block runs on a thread of its own, where its database connections are
    the same from its first value to its last."""
    if isinstance(values, AsyncIterable):
        source = aiter(values)
        try:
            async for value in source:
                yield value
        finally:
            if close := getattr(source, "aclose", None):
                await close()
        return
    thread = ThreadPoolExecutor(1, "rivet-stream")
    iterator = iter(values)
    step = sync_to_async(_next, thread_sensitive=False, executor=thread)
    try:
        while (value := await step(iterator)) is not _END:
            yield value
    finally:
        # Its turn comes when the step that runs has ended, which nothing can stop and nobody waits for.
        thread.submit(_end, iterator)
        thread.shutdown(wait=False)


_END: Any = object()


def _next(iterator: Iterator[Any]) -> Any:
    return next(iterator, _END)


def _end(iterator: Iterator[Any]) -> None:
    try:
        if close := getattr(iterator, "close", None):
            close()
    finally:
        close_old_connections()
