"""`manage.py runrivet`: serves the project."""

import argparse
import dataclasses
import os
import signal
import socket
import sys
import traceback
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, SystemCheckError

from django_rivet import conf
from django_rivet.server import CANNOT_START, CannotStart, application, report, say, sockets, supervisor, worker
from django_rivet.server.metrics import Metrics


class Command(BaseCommand):
    """Reads the options, checks the project, opens the sockets, and becomes the worker or the parent of several."""

    help = "Serves the project: Django's views, native handlers, ASGI applications and WebSockets."
    # As runserver has it: they run below, and not again in each worker.
    requires_system_checks: list[str] = []  # noqa: RUF012  Django's own form

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--skip-checks", action="store_true", help="Skip system checks.")
        parser.add_argument(
            "--check", action="store_true", help="Print what would run, and end with 0, or 3 if it cannot start."
        )
        group = parser.add_argument_group(
            "server", "Each can be given as environment variable or Django setting too: RIVET_PORT for --port."
        )
        for row in conf.rows():
            help = f"{row.help} Default: {row.default}."
            if row.kind.wanted == "on or off":
                group.add_argument(row.flag, dest=row.name, nargs="?", const="on", metavar="on|off", help=help)
            else:
                group.add_argument(row.flag, dest=row.name, metavar=row.name.upper(), help=help)

    def handle(self, *args: Any, **flags: Any) -> None:
        if os.getpid() == 1:
            # Until it serves and has its own: the kernel ends process 1 by no signal that it has no handler for.
            signal.signal(signal.SIGTERM, lambda number, _: os._exit(128 + number))
        try:
            code = self._serve(flags)
        except (CannotStart, conf.Invalid) as error:
            if error.__cause__:
                # What the project's own code raised: its author needs to see where.
                traceback.print_exception(error.__cause__)
            raise CommandError(str(error), returncode=CANNOT_START) from error
        sys.exit(code)

    def _serve(self, flags: dict[str, Any]) -> int:
        options = _for_development(conf.read(flags))
        if place := worker.Place.taken():
            if options.reload:
                # The parent has not: an error here is for the next change to mend.
                self._check(flags)
            return worker.supervised(options, place)
        for line in conf.unknown():
            say(line)
        if not options.reload or flags["check"]:
            self._check(flags)
        with sockets.listening(options) as (places, own), sockets.metrics(options) as listening:
            if flags["check"]:
                self._would_run(options, flags, places[0], listening)
                return 0

            def announce() -> None:
                self._say(report.start(options, places[0], listening))

            metrics = Metrics(listening)
            if supervisor.wanted(options):
                if not getattr(self, "_called_from_command_line", False):
                    raise CannotStart("A parent starts its processes by the command line: use manage.py runrivet.")
                # The very command line again, so that a worker sees all that manage.py does.
                command = [sys.executable, *sys.orig_argv[1:]]
                return supervisor.Supervisor(command, places, options, announce, metrics, own=own).run()
            return worker.alone(options, places[0], announce, metrics, own=own)

    def _check(self, flags: dict[str, Any]) -> None:
        if not settings.DEBUG and not settings.ALLOWED_HOSTS:
            raise CannotStart(
                "ALLOWED_HOSTS is empty and DEBUG is off: every request would be refused; set ALLOWED_HOSTS."
            )
        if not flags["skip_checks"]:
            try:
                self.check(display_num_errors=True)
            except SystemCheckError as error:
                error.returncode = CANNOT_START
                raise
            except Exception as error:
                raise CannotStart.because("The system checks", error) from error

    def _would_run(
        self,
        options: conf.Options,
        flags: dict[str, Any],
        listening: list[socket.socket],
        metrics: list[socket.socket],
    ) -> None:
        """Raises what a start would raise: without a process, a thread or a connection to a database."""
        application.check(options)
        self._say(report.check(options, flags, listening, metrics))

    def _say(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.stdout.write(line)
        self.stdout.flush()


def _for_development(options: conf.Options) -> conf.Options:
    """A reload waits for no proxy, and a debugger may stop the loop for as long as it likes."""
    return dataclasses.replace(options, drain_delay=0.0, hang_timeout=0.0) if options.reload else options
