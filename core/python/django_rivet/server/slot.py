"""The place of one worker: its sockets, which outlive it, and the process that serves them now."""

import math
import os
import signal
import socket
import time
from collections.abc import Sequence

from django_rivet.server.metrics import Metrics
from django_rivet.server.pulse import Parent
from django_rivet.server.worker import Place


class Slot:
    """Starts a process for its sockets and keeps what the parent knows of it."""

    def __init__(
        self,
        number: int,
        command: Sequence[str],
        sockets: Sequence[socket.socket],
        lifeline: int,
        metrics: Metrics,
        *,
        own: bool,
    ) -> None:
        self.number = number
        self.pid = 0
        self.ready = False
        self.started = 0.0
        # When to start the next process, if none runs; when to kill the one that has been told to end, once.
        self.start_at: float | None = None
        self.kill_at: float | None = None
        self.deaths = 0
        # It made no turn for too long and is being killed for it.
        self.hung = False
        # When its loop was last known to turn.
        self.beaten = 0.0
        # Where the worker writes its words; None before its start and after its end.
        self.words: int | None = None
        self._heard = b""
        self._command = list(command)
        self._sockets = sockets
        self._lifeline = lifeline
        self._metrics = metrics
        self._own = own

    def successor(self) -> "Slot":
        """Another process for the same sockets, to take over while this one still serves."""
        return Slot(self.number, self._command, self._sockets, self._lifeline, self._metrics, own=self._own)

    def start(self) -> int:
        """Starts a process; returns the file descriptor to wait at for its words."""
        page = self._metrics.page()
        words, told = os.pipe()
        os.set_blocking(words, False)
        listen = [each.fileno() for each in self._sockets]
        place = Place(self.number, listen, told, self._lifeline, page, self._own)
        own = [told] if page is None else [told, page]
        passed = [*place.listen, place.lifeline, *own]
        for fd in passed:
            os.set_inheritable(fd, True)
        try:
            # What waits in the sockets' queues is answered by the next process: they stay open here.
            self.pid = os.posix_spawn(
                self._command[0],
                self._command,
                {**os.environ, **place.variables()},
                setsigdef=[signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD],
                setsigmask=[],
            )
            self._metrics.began(self.number, self.pid, page)
        except OSError:
            os.close(words)
            raise
        finally:
            for fd in passed:
                os.set_inheritable(fd, False)
            for fd in own:
                os.close(fd)
        self.words = words
        self._heard = b""
        self.ready = False
        self.hung = False
        self.start_at = self.kill_at = None
        self.started = time.monotonic()
        return words

    def hear(self) -> list[tuple[str, str]]:
        """Takes the words that have come, each with what follows it. Raises EOFError when there will be no more."""
        assert self.words is not None
        try:
            got = os.read(self.words, 4096)
        except BlockingIOError:
            return []
        if not got:
            raise EOFError
        *lines, self._heard = (self._heard + got).split(b"\n")
        self.beaten = time.monotonic()
        words = [(word, more) for word, _, more in (line.decode().partition(" ") for line in lines)]
        self.ready = self.ready or any(word == Parent.READY for word, _ in words)
        return words

    def close(self) -> None:
        """Hears no more."""
        if self.words is not None:
            os.close(self.words)
            self.words = None

    def ended(self) -> float:
        """Notes that the process is dead; returns how many seconds it was alive."""
        self.pid = 0
        return time.monotonic() - self.started

    def kill(self) -> None:
        """Ends the process, which need not have been told before."""
        self.kill_at = math.inf
        self.signal(signal.SIGKILL)

    def signal(self, number: int) -> None:
        """To the process, if one runs. Until it is reaped it stays ours, a zombie at worst: no other has its number."""
        if self.pid:
            os.kill(self.pid, number)
