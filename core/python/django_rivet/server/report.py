"""What a person is told: a few lines at the start, and all that would run by `runrivet --check`."""

import os
import platform
import resource
from collections.abc import Iterator, Mapping, Sequence
from socket import socket

import django
from django.conf import settings
from django.db import connections
from django.urls import URLPattern, URLResolver, get_resolver

import django_rivet
from django_rivet import conf
from django_rivet.discovery import discover
from django_rivet.server import sockets
from django_rivet.server.application import project_split

# Descriptors that are no connections: databases, logs, modules; and those beyond the bound (src/engine/reserve.rs).
_OTHER_FILES = 100 + 32


def start(options: conf.Options, listening: Sequence[socket], metrics: Sequence[socket]) -> Iterator[str]:
    """Versions, addresses, processes, and what is bounded by how much."""
    addresses = dict.fromkeys(sockets.shown(each) for each in listening)
    yield (
        f"django-rivet {django_rivet.__version__}, Django {django.get_version()},"
        f" Python {platform.python_version()}, settings {os.environ.get('DJANGO_SETTINGS_MODULE', '-')}"
    )
    yield (
        f"Serving {' and '.join(addresses)} by {_many(options.processes, 'process', 'es')}"
        f" with {_many(options.workers, 'thread')} each for blocking code"
    )
    yield (
        f"Bounds of a process: {options.max_connections} connections, {options.max_in_flight} requests in flight;"
        f" of a request: head {_kib(options.max_head)}, body {_kib(options.max_body)},"
        f" WebSocket message {_kib(options.ws_max_message)};"
        f" seconds: head {options.header_timeout:g}, body {options.body_timeout:g},"
        f" write {options.write_timeout:g}, idle {options.keep_alive:g}, queue {options.queue_timeout:g}"
    )
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files < options.max_connections + _OTHER_FILES:
        yield f"The system lets a process open {files} files, too few for all these connections: see ulimit -n"
    if metrics:
        yield f"Metrics: /metrics of {' and '.join(sockets.shown(each) for each in metrics)}"
    if limits := ", ".join(_limits(options)):
        yield f"A process ends after {limits}"
    if options.reload:
        yield "For development: starts anew when a file of the project changes"
    yield f"SIGTERM ends requests in work first ({options.graceful_timeout:g} s), Control-C stops at once"


def check(
    options: conf.Options, flags: Mapping[str, object], listening: Sequence[socket], metrics: Sequence[socket]
) -> Iterator[str]:
    """The same, what answers, what databases must bear, and every option that somebody set, with its place."""
    *first, _ = start(options, listening, metrics)
    yield from first
    yield f"Answers: {', '.join(_handlers())}"
    for alias in (each for each in connections if connections[each].vendor != "unknown"):
        # The I/O thread has one too: it runs quick views.
        each = _pool_size(connections.settings[alias]) or options.workers + 1
        yield (
            f"Database {alias} ({connections[alias].vendor}): up to {_many(each, 'connection')} of a process,"
            f" {each * options.processes} in all, twice that for the moment in which a process is replaced"
        )
    set_by_someone = list(conf.given(flags))
    yield "Options that were set, the others have their defaults:" if set_by_someone else "No option was set."
    for row, source, _ in set_by_someone:
        yield f"  {row.flag} {row.kind.show(getattr(options, row.name)) or chr(34) * 2}  by {source}"


def _limits(options: conf.Options) -> Iterator[str]:
    if options.max_requests:
        yield f"{options.max_requests} requests"
    if options.max_rss:
        yield f"{_kib(options.max_rss)} of memory"
    if options.lifetime:
        yield f"{options.lifetime:g} s"
    if options.hang_timeout:
        yield f"{options.hang_timeout:g} s without a turn"


def _handlers() -> Iterator[str]:
    yield _many(len(discover()), "native route")
    found = project_split()
    if found.django:
        yield f"{_many(sum(1 for _ in _patterns(get_resolver())), 'URL pattern')} of Django"
    if found.application:
        yield f"{settings.ASGI_APPLICATION} for {'WebSockets' if found.django else 'all other requests'}"


def _patterns(resolver: URLResolver) -> Iterator[URLPattern]:
    for each in resolver.url_patterns:
        if isinstance(each, URLResolver):
            yield from _patterns(each)
        else:
            yield each


def _pool_size(database: Mapping[str, object]) -> int | None:
    """Of psycopg's pool, whose own default is 4; None: there is none."""
    chosen = database.get("OPTIONS", {})
    pool = chosen.get("pool") if isinstance(chosen, dict) else None
    if not pool:
        return None
    given = pool if isinstance(pool, dict) else {}
    return int(given.get("max_size") or given.get("min_size") or 4)


def _many(count: int, word: str, ending: str = "s") -> str:
    return f"{count} {word}{'' if count == 1 else ending}"


def _kib(count: int) -> str:
    return f"{count >> 20} MiB" if count >= 1 << 20 else f"{count / 1024:g} KiB"
