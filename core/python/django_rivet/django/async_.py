"""Serves an async view on the loop: the sync middleware round it as two halves, inline or on the request's thread."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async
from django.core.signals import request_started
from django.urls import set_script_prefix

from .answer import fail, send_file, send_whole
from .executor import Pin
from .finish import finish_async
from .half import Half
from .request import RivetRequest
from .signals import start, started
from .stream import SyncStream, send_async_iterator

if TYPE_CHECKING:
    from .handler import DjangoHandler
    from .inline import Lane

logger = logging.getLogger("django_rivet")


async def serve(handler: DjangoHandler, request: RivetRequest, lane: Lane) -> None:
    """Answers. Cancelled when the client leaves; the view sees it as under ASGIHandler."""
    pin = Pin(handler.executor)
    pin.enter()
    request.rivet_half = half = Half(lane)
    response: Any = None
    begun = False
    try:
        if request.META["SCRIPT_NAME"]:
            set_script_prefix(request.META["SCRIPT_NAME"])
        if started.has_async_receivers():
            await request_started.asend(sender=handler.__class__, environ=request.META)
        elif handler.chain.whole:
            request.rivet_start = True
        else:
            await half(start, handler, request)
        response = await handler.get_response_async(request)
        response._handler_class = handler.__class__
        begun = response.streaming
        await _send(request, response)
    except (asyncio.CancelledError, OSError) as error:
        if not request.core.disconnected:
            fail(request.core, begun=begun)
            if isinstance(error, asyncio.CancelledError):
                raise
            logger.exception("Internal Server Error: %s", request.path)
    except Exception:
        logger.exception("Internal Server Error: %s", request.path)
        fail(request.core, begun=begun)
    finally:
        await finish_async(handler, request, response, pin, inline=lane.inline)


async def _send(request: RivetRequest, response: Any) -> None:
    core = request.core
    if not response.streaming:
        send_whole(core, response)
    elif response.is_async:
        await send_async_iterator(core, response)
    elif getattr(response, "file_to_stream", None) is None or not send_file(core, response):
        stream = SyncStream(core, response)
        if not await sync_to_async(stream.advance)():
            await stream.finish()
