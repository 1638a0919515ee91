"""One process: its engine, the application, signals, and the word to the parent that it is ready."""

import json
import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, Self

from django_rivet import conf
from django_rivet.server import say, sockets
from django_rivet.server.application import application
from django_rivet.server.engine import Engine
from django_rivet.server.signals import Signals

# Seconds that threads have to end after all else.
_PATIENCE = 1.0

_VARIABLE = "RIVET_WORKER"

# Seconds until a thread that works must let the I/O thread have the GIL. Python's own 5 ms, for each such thread, is
# what every small request would wait.
_SWITCH = 0.0005


class Place(NamedTuple):
    """Where a worker stands: what its parent gives it through the environment, as JSON."""

    number: int
    listen: list[int]
    ready: int
    lifeline: int

    def variables(self) -> dict[str, str]:
        return {_VARIABLE: json.dumps(self._asdict())}

    @classmethod
    def taken(cls) -> Self | None:
        """The place of this process, once: what it starts itself has none. None if it is no worker of a parent."""
        given = os.environ.pop(_VARIABLE, None)
        return cls(**json.loads(given)) if given else None


def supervised(options: conf.Options, place: Place) -> int:
    """Runs the worker of a place and returns the exit code."""
    for fd in (place.ready, place.lifeline):
        os.set_inheritable(fd, False)

    def ready() -> None:
        os.write(place.ready, b".")
        os.close(place.ready)

    return run(options, [sockets.adopt(fd) for fd in place.listen], ready, place.lifeline)


def run(
    options: conf.Options,
    listening: Sequence[socket.socket],
    ready: Callable[[], None],
    lifeline: int | None = None,
) -> int:
    """Serves Django on the sockets until a signal ends it; returns the exit code. Raises CannotStart."""
    conf.use(options)
    sys.setswitchinterval(_SWITCH)
    engine = Engine(options)
    served = application(options)

    def serving() -> None:
        # After the application's own start, which may have set handlers of its own.
        Signals(engine, drain_seconds=options.drain_delay + options.graceful_timeout, lifeline=lifeline)
        ready()

    cut = engine.run(served, listening, serving)
    if cut:
        say(
            "1 request did not end in time and was cut."
            if cut == 1
            else f"{cut} requests did not end in time and were cut."
        )
    _leave_stuck_threads()
    return 0


def _leave_stuck_threads() -> None:
    """Ends the process here when threads do not end, which Python would wait for without a bound."""
    deadline = time.monotonic() + _PATIENCE
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join(max(0.0, deadline - time.monotonic()))
            if thread.is_alive():
                say(f"the thread {thread.name} is stuck and was left behind.")
                logging.shutdown()
                sys.stdout.flush()
                os._exit(0)
