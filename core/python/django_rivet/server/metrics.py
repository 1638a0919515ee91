"""The numbers of all processes, for Prometheus: gathered here, answered by threads of the core (docs/metrics.md)."""

import os
import platform
import resource
import socket
from collections.abc import Sequence

import django

import django_rivet
from django_rivet._core import Exporter

# Why a worker was started in another's place.
DIED, HUNG, LIMIT, RELOAD = REASONS = ("died", "hung", "limit", "reload")

_RESTARTS = "rivet_restarts_total"
_RESTARTS_HELP = "Workers started in the place of another, by why it went."


class Metrics:
    """Answers on `listening`; without a socket it does nothing, and processes count for themselves alone.

    What a process counts stays when it ends, even by SIGKILL: its memory is shared with this one.
    """

    def __init__(self, listening: Sequence[socket.socket]) -> None:
        self._exporter = Exporter() if listening else None
        if self._exporter:
            self._describe(self._exporter)
            for each in listening:
                self._exporter.serve(each.fileno())

    def _describe(self, exporter: Exporter) -> None:
        versions = [
            ("version", django_rivet.__version__),
            ("django", django.get_version()),
            ("python", platform.python_version()),
        ]
        exporter.add("rivet_build_info", "Versions, as labels.", versions, 1, gauge=True)
        for reason in REASONS:
            exporter.add(_RESTARTS, _RESTARTS_HELP, [("reason", reason)], 0)

    def parent(self) -> None:
        """This process starts the workers."""
        if self._exporter:
            self._exporter.began("parent", os.getpid())

    def page(self) -> int | None:
        """A descriptor of the memory for one process; None: nobody asks for its numbers."""
        return self._exporter.page() if self._exporter else None

    def began(self, worker: int, pid: int, page: int | None) -> None:
        """This process is the worker of that number."""
        if self._exporter:
            self._exporter.began(str(worker), pid, page)

    def ended(self, pid: int, usage: resource.struct_rusage) -> None:
        if self._exporter:
            self._exporter.ended(pid, usage.ru_utime + usage.ru_stime)

    def restarted(self, reason: str) -> None:
        if self._exporter:
            self._exporter.add(_RESTARTS, _RESTARTS_HELP, [("reason", reason)], 1)
