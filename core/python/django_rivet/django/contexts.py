"""The Context a request runs in: new for each, so that nothing set by one is seen by the next."""

from __future__ import annotations

import logging
from contextvars import Context

from django.core.cache import caches

logger = logging.getLogger("django_rivet")


def thread_context() -> Context:
    """The Context that requests of this thread start from a copy of: empty but for the thread's cache objects.

    Django keeps cache objects in an asgiref Local, a context variable. In a bare Context each request would make its
    own, with Redis a connection each; under WSGI they live as long as the thread, and so they do here.
    """
    context = Context()
    context.run(_open_caches)
    return context


def _open_caches() -> None:
    for alias in caches:
        try:
            caches[alias]
        except Exception:  # a broken cache breaks the requests that use it, not the server
            logger.debug("Cache %r cannot be set up.", alias, exc_info=True)
