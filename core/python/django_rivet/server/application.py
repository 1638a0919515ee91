"""What a worker serves: native routes, Django, the project's ASGI application, static files."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import close_old_connections, connections
from django.urls import get_resolver
from django.utils.module_loading import import_string

from django_rivet import conf
from django_rivet._core import Reactor, WebSocket
from django_rivet.asgi import AsgiHandler, LifespanError, Split, split
from django_rivet.discovery import native_routes
from django_rivet.django.handler import DjangoHandler
from django_rivet.django.pool import Pool
from django_rivet.origin import Check, origin_check, refuse
from django_rivet.server import CannotStart, say
from django_rivet.server.engine import Application

# Seconds for each of two steps at the end; both fit into CLEAN_UP.
_PATIENCE = 1.0


def application(options: conf.Options) -> Application:
    """The project's, as its settings name it."""

    @contextlib.asynccontextmanager
    async def serve(reactor: Reactor) -> AsyncIterator[None]:
        async with contextlib.AsyncExitStack() as parts:
            try:
                await _start(reactor, options, parts)
            except Exception as error:
                raise CannotStart.because("The start of the application", error) from error
            yield

    return serve


async def _start(reactor: Reactor, options: conf.Options, parts: contextlib.AsyncExitStack) -> None:
    """Gives every request its handler; what is to be ended again goes on the stack `parts`."""
    found = _split()
    allowed = origin_check(options.ws_origins)
    loop = asyncio.get_running_loop()
    pool = Pool(options.workers, queue_timeout=options.queue_timeout, limit=options.max_in_flight)
    pool.start(loop)
    parts.callback(connections.close_all)
    # In a thread: a job may still wait for the loop (async_to_sync).
    parts.push_async_callback(asyncio.to_thread, pool.close, _PATIENCE)
    if options.static:
        if not settings.STATIC_ROOT:
            raise ImproperlyConfigured("the option static needs STATIC_ROOT, where collectstatic puts the files")
        reactor.files(settings.STATIC_URL, str(settings.STATIC_ROOT))
    reactor.pool(pool.submit, close_old_connections)
    reactor.native(native_routes(allowed))
    if found.django:
        # Now, so that a project that is broken shows before it serves.
        _ = get_resolver().url_patterns
        reactor.fallback(DjangoHandler(pool, inline=options.inline))
    if found.application:
        asgi = AsgiHandler(found.application)
        await asgi.startup()
        parts.push_async_callback(_end, asgi)
        reactor.websocket(_guarded(asgi.websocket, allowed))
        if not found.django:
            reactor.fallback(asgi.http, stream_body=True)


async def _end(asgi: AsgiHandler) -> None:
    try:
        await asgi.shutdown(_PATIENCE)
    except (LifespanError, TimeoutError) as error:
        say(str(error) or "the application's shutdown took too long and was given up.")


def _guarded(handler: Callable[[WebSocket], None], allowed: Check) -> Callable[[WebSocket], None]:
    def websocket(socket: WebSocket) -> None:
        if allowed(socket):
            handler(socket)
        else:
            refuse(socket)

    return websocket


def _split() -> Split:
    """Without ASGI_APPLICATION there is nothing but Django."""
    name = getattr(settings, "ASGI_APPLICATION", None)
    return split(import_string(name)) if name else Split(django=True, application=None)
