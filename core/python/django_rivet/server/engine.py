"""The engine on its event loop, from the first connection to the last: what a worker and a test thread share."""

import asyncio
import contextlib
import enum
import socket
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

from django_rivet import conf
from django_rivet._core import Reactor
from django_rivet.api.responses import unfinished
from django_rivet.server import CannotStart, say
from django_rivet.server.internals import missing
from django_rivet.server.loop import Loop

# Registers its handlers at the reactor when entered, which happens on the running loop before the first connection;
# left when no request is in work any more, or when those that are have been given up.
type Application = Callable[[Reactor], AbstractAsyncContextManager[object]]

# How long who has begun to connect may take to end that, in seconds: some round trips in a network of servers.
_HANDSHAKES = 0.005

# How soon the end of the last request is seen while draining, in seconds.
_IDLE_CHECK = 0.02


def make_reactor(options: conf.Options, page: int | None = None) -> Reactor:
    """Raises CannotStart for an option that only the engine can judge. `page`: the memory to count in."""
    counts = {} if page is None else {"metrics_fd": page}
    try:
        return Reactor(conf.engine_options(options) | counts)
    except ValueError as error:
        raise CannotStart(f"{error}.") from None


class Phase(enum.IntEnum):
    """How far a server has been told to stop."""

    SERVING = 0
    DRAINING = 1
    STOPPING = 2


class Engine:
    """Serves an application on sockets until it is told to stop. `run` blocks; a signal handler may call `stop`."""

    def __init__(self, options: conf.Options, page: int | None = None) -> None:
        self.reactor = make_reactor(options, page)
        self._options = options
        self._phase = Phase.SERVING
        self._changed = asyncio.Event()
        self.loop: asyncio.AbstractEventLoop = Loop(self.reactor)

    @property
    def phase(self) -> Phase:
        return self._phase

    def stop(self, phase: Phase = Phase.DRAINING) -> None:
        """Goes on to `phase`, never back; from any thread."""
        if phase > self._phase:
            self._phase = phase
            # A loop that has ended by itself needs no word.
            with contextlib.suppress(RuntimeError):
                self.loop.call_soon_threadsafe(self._changed.set)

    def run(
        self,
        application: Application,
        sockets: Sequence[socket.socket],
        ready: Callable[[], None],
        last: Callable[[], bool] = lambda: False,
    ) -> int:
        """Serves, calls `ready` when connections are accepted, and returns how many requests were cut at the end.

        The sockets are closed when accepting ends. `last`, asked when it is told to stop: is this all that serves them?
        """
        try:
            with asyncio.Runner(loop_factory=lambda: self.loop) as runner:
                return runner.run(self._serve(application, sockets, ready, last))
        finally:
            # It belongs to this thread, to its very end; the rest of us may live on elsewhere.
            del self.reactor

    async def _serve(
        self,
        application: Application,
        sockets: Sequence[socket.socket],
        ready: Callable[[], None],
        last: Callable[[], bool],
    ) -> int:
        if news := missing(self.reactor.attach(self.loop)):
            say(news)
        async with application(self.reactor):
            for each in sockets:
                self.reactor.listen(each.fileno())
            ready()
            await self._until(Phase.DRAINING)
            # Now: those who are told together stop accepting together.
            for_good = last()
            await self._until(Phase.STOPPING, self._options.drain_delay)
            if for_good:
                self.reactor.refuse_new()
                await self._until(Phase.STOPPING, _HANDSHAKES)
            for each in sockets:
                each.close()
            self.reactor.drain()
            deadline = self.loop.time() + self._options.graceful_timeout
            while not self._idle() and self._phase < Phase.STOPPING and self.loop.time() < deadline:
                await self._until(Phase.STOPPING, _IDLE_CHECK)
            return self.reactor.stats()["in_flight"] + len(unfinished)

    def _idle(self) -> bool:
        return self.reactor.idle() and not unfinished

    async def _until(self, phase: Phase, seconds: float | None = None) -> None:
        """Waits until the phase is reached, or for so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._phase < phase:
                    self._changed.clear()
                    await self._changed.wait()
