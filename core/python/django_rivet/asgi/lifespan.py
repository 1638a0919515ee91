"""An ASGI application's startup and shutdown: https://asgi.readthedocs.io/en/latest/specs/lifespan.html"""

import asyncio
from typing import Any

from django_rivet.asgi.types import Application, Message, logger


class LifespanError(Exception):
    """The application says that its startup or shutdown failed."""


class Lifespan:
    """Runs the lifespan half of an application, if it has one.

    `state` is what the application keeps for its requests; each request gets a copy of it.
    """

    def __init__(self, application: Application) -> None:
        self._application = application
        self._events: asyncio.Queue[Message] = asyncio.Queue()
        self._reply: asyncio.Future[Message | None] | None = None
        self._phase = "startup"
        self._task: asyncio.Task[None] | None = None
        self.state: dict[str, Any] = {}

    async def startup(self) -> None:
        """Returns when the application is ready, or has shown that it knows no lifespan. Raises LifespanError."""
        self._task = asyncio.create_task(self._run(), name="lifespan")
        await self._ask("startup")

    async def shutdown(self) -> None:
        """Returns when the application has cleaned up. Raises LifespanError."""
        if self._task is not None and not self._task.done():
            await self._ask("shutdown")
            await self._task

    async def _ask(self, phase: str) -> None:
        self._phase = phase
        self._reply = asyncio.get_running_loop().create_future()
        self._events.put_nowait({"type": f"lifespan.{phase}"})
        reply = await self._reply
        if reply is not None and reply["type"] == f"lifespan.{phase}.failed":
            raise LifespanError(f"The application's {phase} failed: {reply.get('message') or 'no message given'}")

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        try:
            await self._application(scope, self._events.get, self._send)
        except Exception as error:
            # The specification: go on without lifespan. An error in the midst of an event is worth a look, though.
            if self._events.empty():
                logger.exception("The application's lifespan ended with an error")
            else:
                logger.info("The application has no lifespan: %s", error)
        finally:
            self._answer(None)

    async def _send(self, message: Message) -> None:
        expected = (f"lifespan.{self._phase}.complete", f"lifespan.{self._phase}.failed")
        if message["type"] not in expected or not self._answer(message):
            raise RuntimeError(f"ASGI message {message['type']!r} out of order in lifespan {self._phase}")

    def _answer(self, message: Message | None) -> bool:
        reply, self._reply = self._reply, None
        if reply is None or reply.done():
            return False
        reply.set_result(message)
        return True
