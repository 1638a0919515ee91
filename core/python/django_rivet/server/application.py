"""What a worker serves: native routes, Django, the project's ASGI application, static files."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextvars import Context

from asgiref.sync import SyncToAsync
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import close_old_connections, connections
from django.urls import get_resolver
from django.utils.module_loading import import_string

from django_rivet import conf, cors
from django_rivet._core import Reactor
from django_rivet.asgi import AsgiHandler, LifespanError, Split, split
from django_rivet.discovery import native_routes
from django_rivet.django.contexts import thread_context
from django_rivet.django.executor import PoolExecutor
from django_rivet.django.handler import DjangoHandler
from django_rivet.django.pool import Pool
from django_rivet.origin import origin_check
from django_rivet.server import CannotStart, say
from django_rivet.server.engine import Application, make_reactor

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


def check(options: conf.Options) -> None:
    """Raises CannotStart where a start would, as far as it takes no loop, no thread and no connection to tell."""
    reactor = make_reactor(options)
    try:
        _assign(reactor, options, _pool(reactor, options))
    except Exception as error:
        raise CannotStart.because("The start of the application", error) from error
    finally:
        reactor.close()


async def _start(reactor: Reactor, options: conf.Options, parts: contextlib.AsyncExitStack) -> None:
    """Gives every request its handler; what is to be ended again goes on the stack `parts`."""
    pool = _pool(reactor, options)
    pool.start(asyncio.get_running_loop())
    parts.callback(connections.close_all)
    # In a thread: a job may still wait for the loop (async_to_sync).
    parts.push_async_callback(asyncio.to_thread, pool.close, _PATIENCE)
    if asgi := _assign(reactor, options, pool):
        await asgi.startup()
        parts.push_async_callback(_end, asgi)


def _pool(reactor: Reactor, options: conf.Options) -> Pool:
    return Pool(
        options.workers,
        queue_timeout=options.queue_timeout,
        limit=options.max_in_flight,
        meter=reactor.pool_meter(),
    )


def _assign(reactor: Reactor, options: conf.Options, pool: Pool) -> AsgiHandler | None:
    """Says who answers what; returns the project's ASGI application, if it has one."""
    found = project_split()
    allowed = origin_check(options.ws_origins)
    if options.static:
        if not settings.STATIC_ROOT:
            raise ImproperlyConfigured(f"{conf.row('static')} needs STATIC_ROOT, where collectstatic puts the files")
        reactor.files(settings.STATIC_URL, str(settings.STATIC_ROOT))
    reactor.pool(pool.submit, close_old_connections)
    reactor.native(native_routes(allowed), _native_context(pool))
    if shared := cors.policy():
        reactor.cors(shared.engine())
    if found.django:
        # Now, so that a project that is broken shows before it serves.
        _ = get_resolver().url_patterns
        reactor.fallback(DjangoHandler(pool, inline=options.inline))
    if not found.application:
        return None
    asgi = AsgiHandler(found.application, allowed)
    reactor.websocket(asgi.websocket)
    if not found.django:
        reactor.fallback(asgi.http, stream_body=True)
    return asgi


def _native_context(pool: Pool) -> Context:
    """In it sync_to_async goes to the pool; asgiref has one thread for all calls of a process."""
    context = thread_context()
    context.run(SyncToAsync.thread_sensitive_context.set, PoolExecutor(pool).context)
    return context


async def _end(asgi: AsgiHandler) -> None:
    try:
        await asgi.shutdown(_PATIENCE)
    except (LifespanError, TimeoutError) as error:
        say(str(error) or "the application's shutdown took too long and was given up.")


def project_split() -> Split:
    """Without ASGI_APPLICATION there is nothing but Django."""
    name = getattr(settings, "ASGI_APPLICATION", None)
    return split(import_string(name)) if name else Split(django=True, application=None)
