"""Serves a sync view: signals, the whole middleware chain, the view and the answer in one go on one thread."""

from __future__ import annotations

import logging
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from django.urls import set_script_prefix

from .answer import fail, send_file, send_whole
from .finish import finish
from .remote_user import set_remote_user
from .request import RivetRequest
from .signals import start
from .stream import SyncStream, stream_rest

if TYPE_CHECKING:
    from .handler import DjangoHandler
    from .worker import Worker

logger = logging.getLogger("django_rivet")


def serve(handler: DjangoHandler, request: RivetRequest, worker: Worker | None) -> Coroutine[Any, Any, None] | None:
    """Answers on the current thread: `worker`, or the I/O thread (None).

    Returns what is left to do on the loop, in a copy of this Context: the rest of a streaming answer.
    """
    response: Any = None
    begun = handed_on = False
    try:
        if request.META["SCRIPT_NAME"]:
            set_script_prefix(request.META["SCRIPT_NAME"])
        if handler.wants_remote_user:
            set_remote_user(request)
        start(handler, request)
        response = handler.get_response(request)
        response._handler_class = handler.__class__
        if not response.streaming:
            send_whole(request.core, response)
        elif getattr(response, "file_to_stream", None) is None or not send_file(request.core, response):
            begun = request.rivet_streams = True
            rest = _stream(handler, request, response, worker)
            handed_on = rest is not None
            return rest
    except OSError:
        if not request.core.disconnected:
            logger.exception("Internal Server Error: %s", request.path)
            fail(request.core, begun=begun)
    except BaseException as error:
        # Django turns what a view raises into a response: this came from a signal, a stream or an unusable header.
        logger.exception("Internal Server Error: %s", request.path)
        fail(request.core, begun=begun)
        if isinstance(error, KeyboardInterrupt):
            raise
    finally:
        if not handed_on:
            finish(handler, request, response)
    return None


def _stream(
    handler: DjangoHandler, request: RivetRequest, response: Any, worker: Worker | None
) -> Coroutine[Any, Any, None] | None:
    stream = None
    if not response.is_async:
        stream = SyncStream(request.core, response)
        if worker is not None and stream.advance():
            return None
    return stream_rest(handler, request, response, stream, worker)
