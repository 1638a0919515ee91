"""The pulse of a worker: on each beat its loop shows that it turns, and looks at the limits of its process."""

import faulthandler
import os
import time

from django_rivet import conf
from django_rivet.server.engine import Engine, Phase
from django_rivet.server.limits import Limits

# A limit that each process is above from its start must not keep the machine starting processes.
_LEAST_AGE = 10.0
# How long the parent has to replace a worker that asked for it, until the worker asks again.
_ASK_AGAIN = 60.0


class Parent:
    """What a worker tells its parent, through a pipe: words of one line each."""

    READY, BEAT, ENOUGH = "ready", "beat", "enough"

    def __init__(self, fd: int) -> None:
        # A parent that does not read must not stop the loop.
        os.set_blocking(fd, False)
        self._fd = fd

    def tell(self, word: str, more: str = "") -> None:
        """Never raises: a parent that is gone shows at the lifeline, one that is slow needs no more beats."""
        try:
            os.write(self._fd, f"{word} {more}\n".encode())
        except OSError:
            pass


def interval(options: conf.Options) -> float:
    """Seconds from beat to beat."""
    return min(1.0, options.hang_timeout / 4) if options.hang_timeout else 1.0


class Pulse:
    """Beats on the engine's loop until that ends. Without a parent, each beat puts off the end of a hanging process."""

    def __init__(self, engine: Engine, options: conf.Options, parent: Parent | None = None) -> None:
        self._engine = engine
        self._parent = parent
        self._limits = Limits(options)
        self._interval = interval(options)
        self._hang_timeout = options.hang_timeout
        self._ask_at = time.monotonic() + _LEAST_AGE
        self._beat()

    def _beat(self) -> None:
        if self._parent:
            self._parent.tell(Parent.BEAT)
            self._look(self._parent)
        elif self._hang_timeout and self._engine.phase is Phase.SERVING:
            # In C, without the GIL. When the process is told to stop, Signals sets the time.
            faulthandler.dump_traceback_later(self._hang_timeout, exit=True)
        self._engine.loop.call_later(self._interval, self._beat)

    def _look(self, parent: Parent) -> None:
        now = time.monotonic()
        if now >= self._ask_at and (reached := self._limits.reached(self._engine.reactor.stats()["requests"])):
            self._ask_at = now + _ASK_AGAIN
            parent.tell(Parent.ENOUGH, reached)
