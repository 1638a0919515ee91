"""The place of one worker: its sockets, which outlive it, and the process that serves them now."""

import os
import signal
import socket
import time
from collections.abc import Sequence

from django_rivet.server.worker import Place


class Slot:
    """Starts a process for its sockets and keeps what the parent knows of it."""

    def __init__(self, number: int, command: Sequence[str], sockets: Sequence[socket.socket], lifeline: int) -> None:
        self.number = number
        self.pid = 0
        self.ready = False
        self.started = 0.0
        # When to start the next process, if none runs; when to kill the one that has been told to end.
        self.start_at: float | None = None
        self.kill_at: float | None = None
        self.deaths = 0
        # Where a worker writes that it is ready; None once it has, or has died.
        self.word: int | None = None
        self._command = list(command)
        self._sockets = sockets
        self._lifeline = lifeline

    def successor(self) -> "Slot":
        """Another process for the same sockets, to take over while this one still serves."""
        return Slot(self.number, self._command, self._sockets, self._lifeline)

    def start(self) -> int:
        """Starts a process; returns the file descriptor to wait at for its word."""
        word, told = os.pipe()
        place = Place(self.number, [each.fileno() for each in self._sockets], told, self._lifeline)
        passed = [*place.listen, place.ready, place.lifeline]
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
        except OSError:
            os.close(word)
            raise
        finally:
            for fd in passed:
                os.set_inheritable(fd, False)
            os.close(told)
        self.word = word
        self.ready = False
        self.start_at = None
        self.started = time.monotonic()
        return word

    def hear(self) -> None:
        """Takes the word: ready, or (at its end) dead before."""
        if self.word is not None:
            self.ready = bool(os.read(self.word, 1))
            os.close(self.word)
            self.word = None

    def ended(self) -> float:
        """Notes that the process is dead; returns how many seconds it was alive."""
        self.pid = 0
        return time.monotonic() - self.started

    def signal(self, number: int) -> None:
        """To the process, if one runs. Until it is reaped it stays ours, a zombie at worst: no other has its number."""
        if self.pid:
            os.kill(self.pid, number)
