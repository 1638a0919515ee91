"""One HTTP request as an ASGI application sees it.

https://asgi.readthedocs.io/en/latest/specs/www.html#http
"""

import asyncio
from typing import Any

from django_rivet._core import Request
from django_rivet.asgi.types import SPEC_VERSION, Application, Message, fields, logger, whole

# What the application may send next.
START, FIRST_BODY, BODY, NOTHING = range(4)
EXPECTED = {
    START: "'http.response.start'",
    FIRST_BODY: "'http.response.body' or 'http.response.pathsend'",
    BODY: "'http.response.body'",
    NOTHING: "nothing: the response is complete",
}
ERROR = (500, [("Content-Type", "text/plain; charset=utf-8")], b"Internal Server Error")


class ClientDisconnected(OSError):
    """The client has gone: raised by `send`, as ASGI 2.4 asks for."""


class HttpExchange:
    """Turns one engine request into `receive` and `send`."""

    __slots__ = ("_body_done", "_expected", "_gone", "_left", "_over", "_request", "_start")

    def __init__(self, request: Request) -> None:
        self._request = request
        self._expected = START
        self._start: Message = {}
        self._left = request.content_length
        self._body_done = False
        self._gone = False
        self._over: asyncio.Future[None] | None = None

    async def run(self, application: Application, state: dict[str, Any]) -> None:
        """Calls the application and sees to it that the client gets a whole answer or a cut connection."""
        try:
            await application(self._scope(state), self.receive, self.send)
        except asyncio.CancelledError:
            self._fail()
            raise
        except (Exception, SystemExit) as error:  # one request must not end the process
            # An error after the client has gone is how most applications end then: nothing is wrong.
            if isinstance(error, ClientDisconnected) or self._is_gone():
                logger.debug("The client left %s %s", self._request.method, self._request.path)
            else:
                logger.exception("ASGI application failed: %s %s", self._request.method, self._request.path)
            self._fail()
        else:
            if self._expected != NOTHING:
                if not self._is_gone():
                    logger.error(
                        "ASGI application returned without a complete response: %s %s",
                        self._request.method,
                        self._request.path,
                    )
                self._fail()

    def _scope(self, state: dict[str, Any]) -> dict[str, Any]:
        request = self._request
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": SPEC_VERSION},
            "http_version": request.http_version,
            "method": request.method.upper(),
            "scheme": request.scheme,
            "path": request.path,
            "raw_path": request.raw_path,
            "query_string": request.query_string,
            "root_path": "",
            "headers": request.headers,
            "client": request.client,
            "server": request.server,
            "state": state.copy(),
            "extensions": {"http.response.pathsend": {}},
        }

    async def receive(self) -> Message:
        """The next part of the body; after it, waits for the end of the answer or of the client."""
        if not self._body_done and self._expected != NOTHING:
            try:
                data = await self._request.read()
            except OSError:
                self._gone = self._body_done = True
                return {"type": "http.disconnect"}
            if self._left is not None:
                self._left -= len(data)
            self._body_done = not data or self._left == 0
            return {"type": "http.request", "body": data, "more_body": not self._body_done}
        if self._expected != NOTHING and not self._is_gone():
            if self._over is None:
                self._over = asyncio.get_running_loop().create_future()
                self._request.on_disconnect(self._left_early)
            # Several may wait, and the one who is cancelled must not cancel the others.
            await asyncio.shield(self._over)
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Takes the parts of the answer. The start waits for the first body, so that a short answer is one write."""
        kind = message["type"]
        request = self._request
        if kind == "http.response.body":
            if self._expected == FIRST_BODY:
                start = self._start
                if self._is_gone():
                    raise ClientDisconnected("the client has gone")
                body = message.get("body", b"")
                if not message.get("more_body", False):
                    request.respond(start["status"], fields(start), whole(body))
                    self._complete()
                    return
                request.start(start["status"], fields(start))
                self._expected = BODY
                await self._write(body)
                return
            if self._expected == BODY:
                if self._is_gone():
                    raise ClientDisconnected("the client has gone")
                await self._write(message.get("body", b""))
                if not message.get("more_body", False):
                    request.end()
                    self._complete()
                return
        elif kind == "http.response.start" and self._expected == START:
            self._start = message
            self._expected = FIRST_BODY
            return
        elif kind == "http.response.pathsend" and self._expected == FIRST_BODY:
            start = self._start
            request.send_file(start["status"], fields(start), message["path"])
            self._complete()
            return
        if self._is_gone():
            raise ClientDisconnected("the client has gone")
        raise RuntimeError(f"ASGI message {kind!r} out of order: expected {EXPECTED[self._expected]}")

    async def _write(self, data: bytes) -> None:
        if not data:
            return
        try:
            if not self._request.write(whole(data)):
                await self._request.drained()
        except OSError as error:
            self._gone = True
            raise ClientDisconnected("the client has gone") from error

    def _is_gone(self) -> bool:
        if not self._gone:
            self._gone = self._request.disconnected
        return self._gone

    def _left_early(self) -> None:
        self._gone = True
        self._end_wait()

    def _complete(self) -> None:
        self._expected = NOTHING
        self._end_wait()

    def _end_wait(self) -> None:
        if self._over is not None and not self._over.done():
            self._over.set_result(None)

    def _fail(self) -> None:
        """Ends an answer that is not complete: 500 while nothing has been sent, else the connection is cut."""
        if self._expected == BODY:
            self._request.abort()
        elif self._expected != NOTHING:
            self._request.respond(*ERROR)
        self._complete()
