"""Streaming answers: async iterators on the loop, sync ones on a thread, which is free while the client is slow."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async
from django.http.response import StreamingHttpResponse

from .answer import head
from .executor import Pin
from .finish import finish_async

if TYPE_CHECKING:
    from django_rivet import _core

    from .handler import DjangoHandler
    from .request import RivetRequest
    from .worker import Worker

logger = logging.getLogger("django_rivet")


class SyncStream:
    """Writes a sync iterator, batch by batch. `advance` and nothing else runs on the request's pool thread."""

    def __init__(self, core: _core.Request, response: StreamingHttpResponse) -> None:
        self.core = core
        self.chunks: Iterator[bytes] = iter(())
        core.start(response.status_code, head(response))
        # The answer to HEAD has no body: making it would be wasted, and may never end.
        if core.method != "HEAD":
            self.chunks = iter(response)

    def advance(self) -> bool:
        """Writes until the iterator ends (True) or the client does not keep up (False).

        Raises OSError when the client has gone.
        """
        write = self.core.write
        for chunk in self.chunks:
            if chunk and not write(chunk):
                return False
        self.core.end()
        return True

    async def finish(self) -> None:
        """The rest, after `advance` returned False; sync_to_async leads to the request's thread."""
        advance = sync_to_async(self.advance)
        while True:
            await self.core.drained()
            if await advance():
                return


def cancel_on_disconnect(core: _core.Request, task: asyncio.Task[Any] | None) -> None:
    """Cancels `task` when the client leaves."""

    def cancel() -> None:
        if task is not None:
            task.cancel()

    core.on_disconnect(cancel)


async def send_async_iterator(core: _core.Request, response: StreamingHttpResponse) -> None:
    """Writes an async iterator. OSError: the client has gone."""
    core.start(response.status_code, head(response))
    if core.method != "HEAD":
        content: AsyncIterator[bytes] = aiter(response)
        # aclosing: PEP 525 closes an abandoned generator only some time later.
        async with aclosing(content) as chunks:  # type: ignore[type-var]
            async for chunk in chunks:
                if chunk and not core.write(chunk):
                    await core.drained()
    core.end()


async def stream_rest(
    handler: DjangoHandler, request: RivetRequest, response: Any, stream: SyncStream | None, worker: Worker | None
) -> None:
    """Sends what is left of a sync view's streaming answer: `stream` on its thread, or the async iterator here."""
    core = request.core
    pin = Pin(handler.executor, worker)
    pin.enter()
    try:
        if stream is None:
            cancel_on_disconnect(core, asyncio.current_task())
            await send_async_iterator(core, response)
        elif worker is not None or not await sync_to_async(stream.advance)():
            await stream.finish()
    except (OSError, asyncio.CancelledError) as error:
        if not core.disconnected:
            core.abort()
            if isinstance(error, OSError):
                logger.exception("A stream failed: %s", request.path)
    except Exception:
        logger.exception("A stream failed: %s", request.path)
        core.abort()
    finally:
        await finish_async(handler, request, response, pin)
