"""A server in a thread of this process, for tests: LiveServerThread, fixtures."""

import asyncio
import contextlib
import dataclasses
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from types import TracebackType
from typing import Any, Self

from django_rivet import conf
from django_rivet._core import Reactor
from django_rivet.server import sockets
from django_rivet.server.engine import Application, Engine, Phase

# A test that cannot start or stop its server within this many seconds fails.
_PATIENCE = 30


class ServerThread:
    """Serves in a thread, on a free port unless one is given.

        def setup(reactor):
            reactor.fallback(lambda request: request.respond(200, [], b"hello"))

        with ServerThread(setup) as server:
            urlopen(server.url)

    `setup` is called with the reactor on the thread's running loop. When it returns an asynchronous context manager
    (django_rivet.server.engine.Application), that is entered there, and left after the last request.
    `options` are those of django_rivet.conf.Options by name. By default the access log is off.
    """

    def __init__(
        self,
        setup: Callable[[Reactor], Any],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        uds: str = "",
        **options: Any,
    ) -> None:
        chosen = {"access_log": "off", "graceful_timeout": 5.0, **options}
        self._options = dataclasses.replace(conf.Options(), **chosen)
        self._engine: Engine | None = None
        self._application = _application(setup)
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="rivet-server", daemon=True)
        backlog = 2048
        self._sockets = [sockets.unix(uds, backlog)] if uds else sockets.tcp(host, port, backlog)[0]
        name = self._sockets[0].getsockname()
        self.host: str = "" if uds else name[0]
        self.port: int = 0 if uds else name[1]
        self.url = sockets.shown(self._sockets[0]).removesuffix("/")

    @property
    def reactor(self) -> Reactor:
        return self._served().reactor

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        return self._served().loop

    def start(self) -> Self:
        """Returns when connections are accepted; raises what `setup` raised."""
        self._thread.start()
        if not self._ready.wait(_PATIENCE):
            raise TimeoutError("the server did not start")
        if self._failure:
            raise self._failure
        return self

    def stop(self, *, drain: bool = True) -> None:
        """Ends requests in work first, unless told not to; returns when the thread has ended, or raises its error."""
        if engine := self._engine:
            engine.stop(Phase.DRAINING if drain else Phase.STOPPING)
        self._thread.join(_PATIENCE)
        if self._thread.is_alive():
            raise TimeoutError("the server did not stop")
        if self._failure:
            raise self._failure

    def call[Result](self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        """Runs a coroutine on the server's loop and returns what it returns."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(_PATIENCE)

    def _run(self) -> None:
        # Here from its first to its last moment: a reactor belongs to one thread.
        try:
            self._engine = Engine(self._options)
            self._engine.run(self._application, self._sockets, self._ready.set)
        except BaseException as error:  # noqa: BLE001  start and stop raise it
            # Without the frames, which would keep the reactor until another thread drops it.
            self._failure = error.with_traceback(None)
        finally:
            self._engine = None
            self._ready.set()

    def _served(self) -> Engine:
        if not self._engine:
            raise RuntimeError("the server does not run")
        return self._engine

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()


def _application(setup: Callable[[Reactor], Any]) -> Application:
    @contextlib.asynccontextmanager
    async def application(reactor: Reactor) -> AsyncIterator[None]:
        entered = setup(reactor)
        if hasattr(entered, "__aenter__"):
            async with entered:
                yield
        else:
            yield

    return application
