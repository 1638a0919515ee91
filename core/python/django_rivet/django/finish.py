"""The end of a request: the response is closed, which sends request_finished. Always, or database connections leak."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async
from django.db import close_old_connections
from django.http.response import HttpResponseBase

from .guard import without_loop
from .signals import end, finished

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
            end(handler.__class__, caches_close=handler.caches_close)
        elif getattr(response.close, "__func__", None) is not HttpResponseBase.close:
            response.close()
        else:
            _close(response, caches_close=handler.caches_close)
    except Exception:
        logger.exception("The end of a request failed: %s", request.path)


def _close(response: Any, *, caches_close: bool) -> None:
    """HttpResponseBase.close, but for a signal that nobody hears."""
    for closer in response._resource_closers:
        try:
            closer()
        except Exception:  # as Django does
            pass
    response._resource_closers.clear()
    response.closed = True
    end(response._handler_class, caches_close=caches_close)


async def finish_async(
    handler: DjangoHandler, request: RivetRequest, response: Any, pin: Pin, *, inline: bool = True
) -> None:
    """On the loop: closes where the request's connections are, its thread or the I/O thread or both."""
    try:
        if inline and not finished.has_async_receivers() and (pin.worker is None or _needs_no_thread(response, pin)):
            without_loop(finish, handler, request, response)
        else:
            await sync_to_async(finish)(handler, request, response)
            without_loop(close_old_connections)
    finally:
        pin.release()


def _needs_no_thread(response: Any, pin: Pin) -> bool:
    """Whether the end has nothing to do on the request's thread; the way there costs a fifth of an ORM view."""
    return pin.tidy and finished.only_by_django() and not getattr(response, "streaming", True)
