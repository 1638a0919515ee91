"""The types of ASGI, and what its HTTP and WebSocket halves share."""

import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

type Message = MutableMapping[str, Any]
type Scope = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[Message]]
type Send = Callable[[Message], Awaitable[None]]
type Application = Callable[[Scope, Receive, Send], Awaitable[None]]

SPEC_VERSION = "2.5"

logger = logging.getLogger("django_rivet.asgi")


def fields(message: Message) -> list[tuple[bytes, bytes]]:
    """The header fields of a message, if any; pairs may come as lists, and be generated."""
    return [(name, value) for name, value in message.get("headers") or ()]


def whole(data: bytes) -> bytes:
    """The bytes of what is bytes-like: applications send bytearray and memoryview too."""
    return data if type(data) is bytes else bytes(data)
