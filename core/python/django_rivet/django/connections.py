"""What Django's own receivers of request_started and request_finished do to this thread's database connections.

The same calls of the same connections; `connections.all()`, which they go by, looks up each alias of the settings in
an asgiref Local first.
"""

from __future__ import annotations

from time import monotonic
from typing import Any

from django.db import close_old_connections, connections, reset_queries


def _open() -> list[Any] | None:
    """The connections of this thread; None: unknown. Not where an event loop runs."""
    try:
        # asgiref's Local for a thread: connections by alias, and `cvar`, which is for coroutines.
        mine = connections._connections._storage.__dict__  # type: ignore[attr-defined]
    except AttributeError:  # another asgiref
        return None
    return [connection for alias, connection in mine.items() if alias != "cvar"]


def untouched() -> bool:
    """Whether no connection is open and no query recorded: nothing to begin or end."""
    try:
        mine = _open()
        return mine is not None and not any(each.connection is not None or each.queries_log for each in mine)
    except AttributeError:  # a database backend of another kind
        return False


def begin_connections() -> None:
    """As `reset_queries` and `close_old_connections`."""
    mine = _open()
    if mine is None:
        reset_queries()
        close_old_connections()
        return
    for each in mine:
        each.queries_log.clear()
        each.close_if_unusable_or_obsolete()


def end_connections() -> None:
    """As `close_old_connections`."""
    mine = _open()
    if mine is None:
        close_old_connections()
        return
    for each in mine:
        each.close_if_unusable_or_obsolete()


def connections_are_tidy() -> bool:
    """Whether `end_connections` would close nothing: what `close_if_unusable_or_obsolete` asks."""
    try:
        mine = _open()
        return mine is not None and all(
            each.connection is None
            or (
                not each.errors_occurred
                and each.get_autocommit() == each.settings_dict["AUTOCOMMIT"]
                and (each.close_at is None or monotonic() < each.close_at)
            )
            for each in mine
        )
    except AttributeError:  # a database backend of another kind
        return False
