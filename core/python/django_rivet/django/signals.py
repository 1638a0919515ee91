"""request_started and request_finished, left out where nobody hears them.

Two sends cost 10 of the 60 us of a small view. Django's own receivers reset the thread's database connections and close
its caches: on a thread without connections, and with caches that have nothing to close, they do nothing. Whoever else
listens gets the signal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import ReferenceType

from django.core.cache import caches, close_caches
from django.core.cache.backends.base import BaseCache
from django.core.handlers.base import BaseHandler, reset_urlconf
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connections, reset_queries
from django.dispatch import Signal
from django.http import HttpRequest


class Watched:
    """A signal, and what is known of its receivers for as long as they stay the same."""

    def __init__(self, signal: Signal, own: set[Callable[..., Any]]) -> None:
        self._signal = signal
        self._own = own
        # The receivers; whether all are Django's own; whether one is async. One tuple: any thread may replace it.
        self._known: tuple[list[Any], bool, bool] = ([], True, False)

    def _look(self) -> tuple[list[Any], bool, bool]:
        known = self._known
        if self._signal.receivers != known[0]:
            receivers = list(self._signal.receivers)
            functions = [entry[1]() if isinstance(entry[1], ReferenceType) else entry[1] for entry in receivers]
            only_own = all(function is None or function in self._own for function in functions)
            known = self._known = (receivers, only_own, any(entry[-1] for entry in receivers))
        return known

    def unheard(self) -> bool:
        """Whether a send on this thread would do nothing. Not where an event loop runs."""
        return self._look()[1] and not _has_connections()

    def has_async_receivers(self) -> bool:
        """Whether `send` would start a loop of its own, which on the I/O thread holds up all others."""
        return self._look()[2]


started = Watched(request_started, {reset_queries, close_old_connections})
finished = Watched(request_finished, {reset_urlconf, close_caches, close_old_connections})


def start(handler: BaseHandler, request: HttpRequest) -> None:
    """Sends request_started as WSGIHandler does: `environ` is META there too."""
    if not started.unheard():
        request_started.send(sender=handler.__class__, environ=request.META)


def _has_connections() -> bool:
    """Whether this thread has a database connection open, or queries of one recorded."""
    try:
        # asgiref's Local for a thread: connections by alias, and `cvar`, which is for coroutines.
        mine = connections._connections._storage.__dict__  # type: ignore[attr-defined]
        for alias, connection in mine.items():
            if alias != "cvar" and (connection.connection is not None or connection.queries_log):
                return True
    except AttributeError:  # another asgiref, or a database backend of another kind
        return True
    return False


def caches_close() -> bool:
    """Whether some cache of the project does anything when it is closed."""
    try:
        return any(type(caches[alias]).close is not BaseCache.close for alias in caches)
    except Exception:  # a broken cache breaks the requests that use it, not the server
        return True
