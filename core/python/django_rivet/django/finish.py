"""The end of a request: the response is closed, which sends request_finished. Always, or database connections leak."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async
from django.core.signals import request_finished
from django.db import close_old_connections
from django.http.response import HttpResponseBase

from .guard import without_loop
from .signals import finished

if TYPE_CHECKING:
    from .executor import Pin
    from .handler import DjangoHandler
    from .request import RivetRequest

logger = logging.getLogger("django_rivet")


def finish(handler: DjangoHandler, request: RivetRequest, response: Any) -> None:
    """On the thread that ran the view."""
    try:
        if response is None:
            request.close()
            if handler.caches_close or not finished.unheard():
                request_finished.send(sender=handler.__class__)
        elif handler.caches_close or getattr(response.close, "__func__", None) is not HttpResponseBase.close:
            response.close()
        else:
            _close(response)
    except Exception:
        logger.exception("The end of a request failed: %s", request.path)


def _close(response: Any) -> None:
    """HttpResponseBase.close, but for a signal that nobody hears."""
    for closer in response._resource_closers:
        try:
            closer()
        except Exception:  # as Django does
            pass
    response._resource_closers.clear()
    response.closed = True
    if not finished.unheard():
        request_finished.send(sender=response._handler_class)


async def finish_async(
    handler: DjangoHandler, request: RivetRequest, response: Any, pin: Pin, *, inline: bool = True
) -> None:
    """On the loop: closes where the request's connections are, its thread or the I/O thread or both."""
    try:
        if inline and pin.worker is None and not finished.has_async_receivers():
            without_loop(finish, handler, request, response)
        else:
            await sync_to_async(finish)(handler, request, response)
            without_loop(close_old_connections)
    finally:
        pin.release()
