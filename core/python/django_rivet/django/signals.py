"""request_started and request_finished, left out where nobody but Django hears them.

Two sends cost 10 of the 60 us of a small view. Django's own receivers reset the thread's database connections and close
its caches; that is done here without the signal, and only where there is any. If anybody else listens, it is sent.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import ReferenceType

from django.core.cache import caches, close_caches
from django.core.cache.backends.base import BaseCache
from django.core.handlers.base import BaseHandler, reset_urlconf
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, reset_queries
from django.dispatch import Signal
from django.http import HttpRequest

from .connections import begin_connections, end_connections, untouched


class Watched:
    """A signal, and what is known of its receivers for as long as they stay the same."""

    def __init__(self, signal: Signal, own: set[Callable[..., Any]]) -> None:
        self._signal = signal
        self._own = own
        # The receivers; whether they are just Django's own; whether one is async. One tuple: any thread may replace it.
        self._known: tuple[list[Any], bool, bool] = ([], False, False)

    def _look(self) -> tuple[list[Any], bool, bool]:
        known = self._known
        if self._signal.receivers != known[0]:
            receivers = list(self._signal.receivers)
            functions = [entry[1]() if isinstance(entry[1], ReferenceType) else entry[1] for entry in receivers]
            known = self._known = (receivers, set(functions) == self._own, any(entry[-1] for entry in receivers))
        return known

    def only_by_django(self) -> bool:
        """Whether all of Django's own receivers, and no others, would get it."""
        return self._look()[1]

    def has_async_receivers(self) -> bool:
        """Whether `send` would start a loop of its own, which on the I/O thread holds up all others."""
        return self._look()[2]


started = Watched(request_started, {reset_queries, close_old_connections})
finished = Watched(request_finished, {reset_urlconf, close_caches, close_old_connections})


def start(handler: BaseHandler, request: HttpRequest) -> None:
    """Sends request_started as WSGIHandler does: `environ` is META there too. Not where an event loop runs."""
    if not started.only_by_django():
        request_started.send(sender=handler.__class__, environ=request.META)
    elif not untouched():
        begin_connections()


def end(sender: type, *, caches_close: bool) -> None:
    """Sends request_finished. Not where an event loop runs."""
    if not finished.only_by_django():
        request_finished.send(sender=sender)
        return
    # The URLconf is a context variable, and ends with the request's Context.
    if caches_close:
        close_caches()
    if not untouched():
        end_connections()


def caches_close() -> bool:
    """Whether some cache of the project does anything when it is closed."""
    try:
        return any(type(caches[alias]).close is not BaseCache.close for alias in caches)
    except Exception:  # a broken cache breaks the requests that use it, not the server
        return True
