"""A WebSocket of an ASGI server, as native handlers know WebSockets: the surface of `django_rivet.WebSocket`."""

import asyncio
import enum
import uuid
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, cast

from django_rivet._core import Disconnected, WebSocket
from django_rivet.api.failures import refuse
from django_rivet.asgi.types import Message, Receive, Scope, Send
from django_rivet.hatch.answer import logger
from django_rivet.hatch.fields import Given, checked, joined

# Codes that may be sent (RFC 6455 7.4).
SENDABLE = frozenset([1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, *range(3000, 5000)])
LONGEST_REASON = 123  # bytes


class Phase(enum.Enum):
    """How far a WebSocket is."""

    CONNECTING = enum.auto()
    OPEN = enum.auto()
    CLOSED = enum.auto()


def disconnected(code: int, reason: str) -> Disconnected:
    """The exception, as the engine makes it."""
    error = Disconnected(f"the WebSocket is closed ({code}) {reason}".rstrip())
    error.code, error.reason = code, reason
    return error


class HatchWebSocket:
    """What `_core.WebSocket` documents, on an ASGI connection. Sizes, rates and pings are the server's to bound.

    What is sent waits here until the server takes it; what is received waits here until the handler asks. Above
    `high_water` bytes the other side waits.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send, high_water: int) -> None:
        self._scope = scope
        self._receive_event = receive
        self._send_event = send
        self._high_water = high_water
        self._phase = Phase.CONNECTING
        self._end: tuple[int, str] | None = None
        self._out: deque[Message] = deque()
        self._pending = 0
        self._news = asyncio.Event()
        self._drained: list[asyncio.Future[None]] = []
        self._inbox: deque[str | bytes] = deque()
        self._inbox_size = 0
        self._room = asyncio.Event()
        self._receiver: asyncio.Future[str | bytes] | None = None
        self._callbacks: list[Callable[[int, str], None]] = []
        self.id = uuid.uuid4().hex
        self.user: Any = None

    @property
    def path(self) -> str:
        return str(self._scope["path"])

    @property
    def raw_path(self) -> bytes:
        return bytes(self._scope.get("raw_path") or self.path.encode())

    @property
    def query_string(self) -> bytes:
        return bytes(self._scope.get("query_string", b""))

    @property
    def http_version(self) -> str:
        return str(self._scope.get("http_version", "1.1"))

    @property
    def scheme(self) -> str:
        return str(self._scope.get("scheme", "ws"))

    @property
    def client(self) -> tuple[str, int] | None:
        return tuple(self._scope["client"]) if self._scope.get("client") else None

    @property
    def server(self) -> tuple[str, int | None] | None:
        return tuple(self._scope["server"]) if self._scope.get("server") else None

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        return [(bytes(name), bytes(value)) for name, value in self._scope["headers"]]

    @property
    def subprotocols(self) -> list[str]:
        return list(self._scope.get("subprotocols") or ())

    @property
    def closed(self) -> bool:
        return self._phase == Phase.CLOSED or self._end is not None

    @property
    def close_code(self) -> int:
        if self._end is not None:
            return self._end[0]
        return 1006 if self._phase == Phase.CLOSED else 0

    def header(self, name: str) -> str | None:
        return joined(self.headers, name)

    def accept(self, subprotocol: str | None = None, headers: Given = ()) -> None:
        if self._phase != Phase.CONNECTING:
            raise RuntimeError("accept() comes once, before anything else")
        if subprotocol is not None and subprotocol not in self.subprotocols:
            raise ValueError(f'the client has not offered the subprotocol "{subprotocol}"')
        fields = _encoded(checked(200, headers))
        if self._end is not None:
            raise disconnected(*self._end)
        self._phase = Phase.OPEN
        self._push({"type": "websocket.accept", "subprotocol": subprotocol, "headers": fields})

    def deny(self, status: int = 403, headers: Given = (), body: bytes = b"") -> None:
        fields = _encoded(checked(status, headers))
        if self._phase != Phase.CONNECTING:
            raise RuntimeError("this handshake has been answered already")
        self._phase = Phase.CLOSED
        if "websocket.http.response" in (self._scope.get("extensions") or {}):
            self._push({"type": "websocket.http.response.start", "status": status, "headers": fields})
            self._push({"type": "websocket.http.response.body", "body": body})
        else:
            self._push({"type": "websocket.close"})  # the server answers with 403

    def receive(self) -> Awaitable[str | bytes]:
        if self._phase == Phase.CONNECTING:
            raise RuntimeError("accept() comes first")
        if self._receiver is not None and not self._receiver.done():
            raise RuntimeError("somebody else is in receive()")
        future: asyncio.Future[str | bytes] = asyncio.get_running_loop().create_future()
        if self._inbox:
            message = self._inbox.popleft()
            self._inbox_size -= len(message)
            self._room.set()
            future.set_result(message)
        elif self.closed:
            future.set_exception(disconnected(*(self._end or (1006, ""))))
        else:
            self._receiver = future
        return future

    def send(self, data: str | bytes) -> Awaitable[None]:
        if self._phase == Phase.CONNECTING:
            raise RuntimeError("accept() comes first")
        if not isinstance(data, str | bytes):
            raise TypeError("a message is str or bytes")
        if self.closed:
            raise disconnected(*(self._end or (1006, "")))
        self._push({"type": "websocket.send", "text" if isinstance(data, str) else "bytes": data}, len(data))
        future = asyncio.get_running_loop().create_future()
        if self._pending > self._high_water:
            self._drained.append(future)
        else:
            future.set_result(None)
        return future

    def close(self, code: int = 1000, reason: str = "") -> None:
        if code not in SENDABLE or len(reason.encode()) > LONGEST_REASON:
            raise ValueError("the code must be one that may be sent, the reason at most 123 bytes")
        if self._phase == Phase.CONNECTING:
            self.deny(403)
        elif self._phase == Phase.OPEN:
            self._phase = Phase.CLOSED
            if self._end is None:
                self._push({"type": "websocket.close", "code": code, "reason": reason})
                self._over(code, reason)

    def on_disconnect(self, callback: Callable[[int, str], None]) -> None:
        if self._end is not None:
            asyncio.get_running_loop().call_soon(callback, *self._end)
        else:
            self._callbacks.append(callback)

    def broadcast(self, data: str | bytes) -> bool:
        """One socket's part of `broadcast`: whether it took the message."""
        if self._phase != Phase.OPEN or self._end is not None:
            return False
        if self._pending > self._high_water:
            self.close(1013, "too slow")
            return False
        self._push({"type": "websocket.send", "text" if isinstance(data, str) else "bytes": data}, len(data))
        return True

    async def run(self, handler: Callable[[Any], Coroutine[Any, Any, None]]) -> None:
        """Has a handler serve this connection, from its handshake to its end."""
        await self._receive_event()  # websocket.connect
        tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._write())]
        try:
            await handler(self)
        except Disconnected:
            self._phase = Phase.CLOSED
        except Exception as error:
            if self._phase != Phase.CONNECTING or not refuse(cast(WebSocket, self), None, error):
                logger.error("a WebSocket's handler failed", exc_info=error)
                self._finish(1011, 500, b"Internal Server Error\n")
        else:
            self._finish(1000, 403, b"Forbidden\n")
        finally:
            self._phase = Phase.CLOSED
            self._news.set()
            tasks[0].cancel()
            await asyncio.wait(tasks)

    def _finish(self, code: int, status: int, body: bytes) -> None:
        if self._phase == Phase.OPEN:
            self.close(code)
        elif self._phase == Phase.CONNECTING:
            self.deny(status, [("Content-Type", "text/plain; charset=utf-8")], body)

    async def _read(self) -> None:
        while True:
            event = await self._receive_event()
            if event["type"] == "websocket.disconnect":
                self._over(event.get("code") or 1005, event.get("reason") or "")
                return
            text = event.get("text")
            self._deliver(event["bytes"] if text is None else text)
            while self._inbox_size > self._high_water:
                self._room.clear()
                await self._room.wait()

    def _deliver(self, message: str | bytes) -> None:
        if self._receiver is not None and not self._receiver.done():
            self._receiver.set_result(message)
        else:
            self._inbox.append(message)
            self._inbox_size += len(message)

    async def _write(self) -> None:
        while True:
            while self._out:
                event = self._out.popleft()
                try:
                    await self._send_event(event)
                except Exception as error:  # each server has its own for a peer that has gone
                    logger.debug("a WebSocket's peer has gone: %s", error)
                    self._over(1006, "")
                    return
                self._pending -= len(event.get("text") or event.get("bytes") or b"")
                if self._pending <= self._high_water // 2:
                    self._wake_senders()
            if self._phase == Phase.CLOSED or self._end is not None:
                return
            await self._news.wait()
            self._news.clear()

    def _push(self, event: Message, size: int = 0) -> None:
        self._out.append(event)
        self._pending += size
        self._news.set()

    def _over(self, code: int, reason: str) -> None:
        """The connection has ended, by either side: the first word counts."""
        if self._end is not None:
            return
        self._end = (code, reason)
        self._news.set()
        self._wake_senders()
        if self._receiver is not None and not self._receiver.done():
            self._receiver.set_exception(disconnected(code, reason))
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            asyncio.get_running_loop().call_soon(callback, code, reason)

    def _wake_senders(self) -> None:
        waiting, self._drained = self._drained, []
        for future in waiting:
            if not future.done():
                if self._end is None:
                    future.set_result(None)
                else:
                    future.set_exception(disconnected(*self._end))


def _encoded(fields: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    # ASGI wants names in lower case.
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in fields]
