"""One WebSocket as an ASGI application sees it.

https://asgi.readthedocs.io/en/latest/specs/www.html#websocket
"""

import asyncio
from typing import Any

from django_rivet._core import Disconnected, WebSocket
from django_rivet.asgi.types import SPEC_VERSION, Application, Message, fields, logger, whole

# How far the connection is.
HANDSHAKE, RESPONSE, OPEN, CLOSED, DENIED = range(5)
EXPECTED = {
    HANDSHAKE: "'websocket.accept', 'websocket.close' or 'websocket.http.response.start'",
    RESPONSE: "'websocket.http.response.body'",
    OPEN: "'websocket.send' or 'websocket.close'",
    CLOSED: "nothing: the application closed the connection",
    DENIED: "nothing: the application denied the connection",
}
OVER = "receive() after 'websocket.disconnect': the connection is over"
TEXT = [("Content-Type", "text/plain; charset=utf-8")]


class WebSocketSession:
    """Turns one engine WebSocket into `receive` and `send`."""

    __slots__ = ("_answered", "_asked", "_body", "_phase", "_socket", "_start", "_told")

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._phase = HANDSHAKE
        self._asked = False
        self._told = False
        self._start: Message | None = None
        self._body = b""
        self._answered: asyncio.Future[None] | None = None

    async def run(self, application: Application, state: dict[str, Any]) -> None:
        """Calls the application; when it ends, so does the connection: 1000, or 1011 after an error."""
        try:
            await application(self._scope(state), self.receive, self.send)
        except asyncio.CancelledError:
            self._finish(1011)
            raise
        except (Exception, SystemExit) as error:  # one connection must not end the process
            # The specification: an application may let go what `send` raised after the peer had gone.
            if not isinstance(error, Disconnected):
                logger.exception("ASGI application failed: WebSocket %s", self._socket.path)
            self._finish(1011)
        else:
            if self._phase in (HANDSHAKE, RESPONSE) and not self._socket.closed:
                logger.error("ASGI application returned without answering the handshake: %s", self._socket.path)
            self._finish(1000)

    def _scope(self, state: dict[str, Any]) -> dict[str, Any]:
        socket = self._socket
        return {
            "type": "websocket",
            "asgi": {"version": "3.0", "spec_version": SPEC_VERSION},
            "http_version": socket.http_version,
            "scheme": socket.scheme,
            "path": socket.path,
            "raw_path": socket.raw_path,
            "query_string": socket.query_string,
            "root_path": "",
            "headers": socket.headers,
            "client": socket.client,
            "server": socket.server,
            "subprotocols": socket.subprotocols,
            "state": state.copy(),
            "extensions": {"websocket.http.response": {}},
        }

    async def receive(self) -> Message:
        """`websocket.connect`, then the messages, then `websocket.disconnect`, once."""
        if not self._asked:
            self._asked = True
            return {"type": "websocket.connect"}
        if self._told:
            raise RuntimeError(OVER)
        if self._phase in (HANDSHAKE, RESPONSE):
            await self._handshake_over()
        if self._phase not in (OPEN, CLOSED):
            return self._disconnect(1006, "")
        try:
            data = await self._socket.receive()
        except Disconnected as gone:
            return self._disconnect(gone.code, gone.reason)
        if isinstance(data, str):
            return {"type": "websocket.receive", "text": data}
        return {"type": "websocket.receive", "bytes": data}

    def _disconnect(self, code: int, reason: str) -> Message:
        if self._told:  # to another receive() that waited too
            raise RuntimeError(OVER)
        self._told = True
        return {"type": "websocket.disconnect", "code": code, "reason": reason}

    async def send(self, message: Message) -> None:
        """Answers the handshake, then sends messages. OSError (`Disconnected`) when the peer has gone."""
        kind = message["type"]
        phase = self._phase
        if phase == OPEN:
            if kind == "websocket.send":
                data = message.get("text")
                if data is None:
                    data = message.get("bytes")
                if data is None:
                    raise RuntimeError("ASGI message 'websocket.send' without text and bytes")
                await self._socket.send(data if isinstance(data, str) else whole(data))
                return
            if kind == "websocket.close":
                self._socket.close(message.get("code", 1000) or 1000, message.get("reason") or "")
                self._phase = CLOSED
                return
        elif phase == HANDSHAKE:
            if kind == "websocket.accept":
                self._socket.accept(message.get("subprotocol"), fields(message))
                self._answer(OPEN)
                return
            if kind == "websocket.close":
                self._deny(403)
                return
            if kind == "websocket.http.response.start":
                self._start = message
                self._phase = RESPONSE
                return
        elif self._start is not None and kind == "websocket.http.response.body" and phase == RESPONSE:
            self._body += message.get("body") or b""
            if not message.get("more_body", False):
                self._socket.deny(self._start["status"], fields(self._start), self._body)
                self._answer(DENIED)
            return
        raise RuntimeError(f"ASGI message {kind!r} out of order: expected {EXPECTED[phase]}")

    def _finish(self, code: int) -> None:
        if self._phase == OPEN:
            self._phase = CLOSED
            self._socket.close(code)
        elif self._phase in (HANDSHAKE, RESPONSE) and not self._socket.closed:
            self._deny(500, b"Internal Server Error")

    def _deny(self, status: int, body: bytes = b"") -> None:
        self._socket.deny(status, TEXT if body else (), body)
        self._answer(DENIED)

    def _answer(self, phase: int) -> None:
        self._phase = phase
        self._wake()

    async def _handshake_over(self) -> None:
        """Waits until the handshake is answered or the client has gone."""
        if self._answered is None:
            self._answered = asyncio.get_running_loop().create_future()
            self._socket.on_disconnect(self._wake)
        await asyncio.shield(self._answered)

    def _wake(self, *_: object) -> None:
        if self._answered is not None and not self._answered.done():
            self._answered.set_result(None)
