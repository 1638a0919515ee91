"""One process: its engine, the application, signals, and its pulse."""

import faulthandler
import gc
import json
import logging
import os
import select
import signal
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
from django_rivet.server.metrics import Metrics
from django_rivet.server.pulse import Parent, Pulse
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
    parent: int
    lifeline: int
    # The memory to count in: metrics.py.
    page: int | None = None
    # As in `sockets.Listening`; a parent of an older version does not say.
    own: bool = False

    def variables(self) -> dict[str, str]:
        return {_VARIABLE: json.dumps(self._asdict())}

    @classmethod
    def taken(cls) -> Self | None:
        """The place of this process, once: what it starts itself has none. None if it is no worker of a parent."""
        given = os.environ.pop(_VARIABLE, None)
        return cls(**json.loads(given)) if given else None


def supervised(options: conf.Options, place: Place) -> int:
    """Runs the worker of a place and returns the exit code."""
    for fd in (place.parent, place.lifeline, *([] if place.page is None else [place.page])):
        os.set_inheritable(fd, False)
    parent = Parent(place.parent)

    def serving(engine: Engine) -> None:
        # A terminal that closes hangs up on the whole group: the parent decides.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        Signals(engine, options, lifeline=place.lifeline)
        parent.tell(Parent.READY)
        Pulse(engine, options, parent)

    listening = [sockets.adopt(fd) for fd in place.listen]
    return _run(options, listening, serving, place.page, last=lambda: place.own and _ended(place.lifeline))


def _ended(lifeline: int) -> bool:
    """Has the parent let go of it, and of the sockets before?"""
    ends = select.poll()
    ends.register(lifeline, 0)
    return bool(ends.poll(0))


def alone(
    options: conf.Options,
    listening: Sequence[socket.socket],
    ready: Callable[[], None],
    metrics: Metrics,
    *,
    own: bool,
) -> int:
    """Runs as the only process, without a parent, and returns the exit code. own: as in `sockets.Listening`."""

    def serving(engine: Engine) -> None:
        Signals(engine, options)
        ready()
        Pulse(engine, options)

    page = metrics.page()
    metrics.began(1, os.getpid(), page)
    return _run(options, listening, serving, page, last=lambda: own)


def _run(
    options: conf.Options,
    listening: Sequence[socket.socket],
    serving: Callable[[Engine], None],
    page: int | None,
    last: Callable[[], bool],
) -> int:
    """Serves Django on the sockets until a signal ends it; raises CannotStart.

    `serving` is called when connections are accepted: after the application's own start, which may have set signal
    handlers of its own. `last`: as for `Engine.run`.
    """
    conf.use(options)
    # A process that crashes, or is killed because it hangs (SIGABRT), says where.
    faulthandler.enable()
    sys.setswitchinterval(_SWITCH)
    engine = Engine(options, page)
    if page is not None:
        os.close(page)  # it is mapped

    def ready() -> None:
        _spare_collector()
        serving(engine)

    cut = engine.run(application(options), listening, ready, last)
    if cut:
        say(
            "1 request did not end in time and was cut."
            if cut == 1
            else f"{cut} requests did not end in time and were cut."
        )
    _leave_stuck_threads()
    return 0


def _spare_collector() -> None:
    """What has been loaded stays: the garbage collector need not go through it again and again (`gc.freeze`)."""
    gc.collect()
    gc.freeze()


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
