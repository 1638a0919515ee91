"""`broadcast` for the sockets of whichever server runs."""

from collections.abc import Collection, Iterable
from typing import Any

from django_rivet import _core


def broadcast(sockets: Iterable[_core.WebSocket], data: str | bytes) -> int:
    """Sends one message to many sockets, encoded once. Those that do not keep up are closed with 1013.

    Returns how many took it; closed sockets are passed over.
    """
    members: Collection[Any] = sockets if isinstance(sockets, Collection) else list(sockets)
    if not members or type(next(iter(members))) is _core.WebSocket:
        return _core.broadcast(members, data)
    if not isinstance(data, str | bytes):
        raise TypeError("a message is str or bytes")
    return sum(socket.broadcast(data) for socket in list(members))
