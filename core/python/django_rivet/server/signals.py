"""What a worker does on SIGTERM, SIGINT and the end of its parent."""

import faulthandler
import os
import signal
import socket
from types import FrameType

from django_rivet import conf
from django_rivet.server import CLEAN_UP
from django_rivet.server.engine import Engine, Phase


class Signals:
    """SIGTERM drains, SIGINT stops at once; where nobody supervises, a second signal goes one step further.

    Under a parent a repeated signal changes nothing: systemd signals every process of a unit and a terminal the whole
    group, the parent then once more. The parent kills what does not end.
    """

    def __init__(self, engine: Engine, options: conf.Options, *, lifeline: int | None = None) -> None:
        """lifeline: a pipe that nobody writes to; its end is the parent's."""
        self._engine = engine
        self._drain_seconds = options.drain_delay + options.graceful_timeout
        self._supervised = lifeline is not None
        # The handlers below run when the loop wakes; this socket wakes it: https://docs.python.org/3/library/signal.html#signal.set_wakeup_fd
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        engine.loop.add_reader(self._reader, self._reader.recv, 4096)
        if lifeline is not None:
            engine.loop.add_reader(lifeline, self._orphaned, lifeline)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        # A terminal that closes, or somebody who takes us for a parent; nohup has it ignored.
        if not self._supervised and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
            signal.signal(signal.SIGHUP, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        before = self._engine.phase
        wanted = Phase.STOPPING if number == signal.SIGINT or (before and not self._supervised) else Phase.DRAINING
        if before == Phase.STOPPING and not self._supervised:
            os._exit(128 + number)
        self._go(wanted)

    def _orphaned(self, lifeline: int) -> None:
        self._engine.loop.remove_reader(lifeline)
        self._go(Phase.DRAINING)

    def _go(self, phase: Phase) -> None:
        if phase <= self._engine.phase:
            return
        self._engine.stop(phase)
        # In C, without the GIL: it ends even a process whose every thread is stuck, and says where.
        seconds = CLEAN_UP + (self._drain_seconds if phase == Phase.DRAINING else 0)
        faulthandler.dump_traceback_later(seconds, exit=True)
