"""The test's database connections, for the threads of the server.

A Django TestCase runs in a transaction of its connection, which no other connection can look into; so the server's
threads use that very connection, as those of Django's LiveServerThread do. The test waits meanwhile.
"""

from typing import ClassVar

from asgiref.sync import SyncToAsync
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

type Shared = dict[str, BaseDatabaseWrapper]


def shareable() -> Shared:
    """This thread's connections that no other can stand in for: within a transaction, or to a database in memory."""
    return {connection.alias: connection for connection in connections.all() if _alone(connection)}


def in_transaction() -> bool:
    """Whether this thread is within a transaction, as in a TestCase."""
    return any(connection.in_atomic_block for connection in connections.all(initialized_only=True))


def _alone(connection: BaseDatabaseWrapper) -> bool:
    in_memory = getattr(connection, "is_in_memory_db", None)
    return connection.in_atomic_block or (in_memory is not None and bool(in_memory()))


class Sharing:
    """Gives connections to every thread that has none yet, from `begin` to `end`. Several may overlap."""

    _active: ClassVar[list["Sharing"]] = []
    # Those of the thread that asgiref keeps for sync_to_async outside Django's handlers.
    _own: ClassVar[dict[str, BaseDatabaseWrapper | None]] = {}

    def __init__(self, shared: Shared) -> None:
        self.shared = shared

    def begin(self) -> None:
        """Threads that begin from now on have them."""
        for connection in self.shared.values():
            connection.inc_thread_sharing()
            # The server's threads close theirs at their end and after requests: this is the test's.
            connection.close = _stay_open  # type: ignore[method-assign]
        if not self._active:
            connections.create_connection = self._create  # type: ignore[method-assign]
        self._active.append(self)
        SyncToAsync.single_thread_executor.submit(self._adopt, self.shared)

    def end(self) -> None:
        """Threads that begin from now on have their own; the server's have ended."""
        self._active.remove(self)
        if not self._active:
            del connections.create_connection  # the class's own comes back
        for connection in self.shared.values():
            connection.dec_thread_sharing()
            if all(connection not in other.shared.values() for other in self._active):
                del connection.close
        if not self._active:
            SyncToAsync.single_thread_executor.submit(self._give_back)

    @classmethod
    def _create(cls, alias: str) -> BaseDatabaseWrapper:
        found = (sharing.shared[alias] for sharing in reversed(cls._active) if alias in sharing.shared)
        return next(found, None) or type(connections).create_connection(connections, alias)

    @classmethod
    def _adopt(cls, shared: Shared) -> None:
        had = {connection.alias: connection for connection in connections.all(initialized_only=True)}
        for alias, connection in shared.items():
            cls._own.setdefault(alias, had.get(alias))
            connections[alias] = connection

    @classmethod
    def _give_back(cls) -> None:
        for alias, connection in cls._own.items():
            if connection is None:
                del connections[alias]
            else:
                connections[alias] = connection
        cls._own.clear()
        connections.close_all()


def _stay_open() -> None:
    """In the place of a shared connection's `close`."""
