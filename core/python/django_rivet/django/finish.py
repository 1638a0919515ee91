"""The end of a request: the response is closed, which sends request_finished. Always, or database connections leak."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from asgiref.sync import sync_to_async
from django.core.signals import request_finished
from django.db import close_old_connections
from django.http.response import HttpResponseBase

from .guard import has_async_receivers, without_loop

if TYPE_CHECKING:
    from .executor import Pin
    from .handler import DjangoHandler
    from .request import RivetRequest

logger = logging.getLogger("django_rivet")


def finish(handler: DjangoHandler, request: RivetRequest, response: HttpResponseBase | None) -> None:
    """On the thread that ran the view."""
    try:
        if response is not None:
            response.close()
        else:
            request.close()
            request_finished.send(sender=handler.__class__)
    except Exception:
        logger.exception("The end of a request failed: %s", request.path)


async def finish_async(
    handler: DjangoHandler, request: RivetRequest, response: HttpResponseBase | None, pin: Pin, *, inline: bool = True
) -> None:
    """On the loop: closes where the request's connections are, its thread or the I/O thread or both."""
    try:
        if inline and pin.worker is None and not has_async_receivers(request_finished):
            without_loop(finish, handler, request, response)
        else:
            await sync_to_async(finish)(handler, request, response)
            without_loop(close_old_connections)
    finally:
        pin.release()
