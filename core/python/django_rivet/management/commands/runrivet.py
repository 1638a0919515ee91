"""`manage.py runrivet`: serves the project."""

import argparse
import os
import platform
import socket
import sys
import traceback
from typing import Any

import django
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, SystemCheckError

import django_rivet
from django_rivet import conf
from django_rivet.server import CANNOT_START, CannotStart, sockets, worker
from django_rivet.server.supervisor import Supervisor


class Command(BaseCommand):
    """Reads the options, checks the project, opens the sockets, and becomes the worker or the parent of several."""

    help = "Serves the project: Django's views, native handlers, ASGI applications and WebSockets."
    # As runserver has it: they run below, and not again in each worker.
    requires_system_checks: list[str] = []  # noqa: RUF012  Django's own form

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--skip-checks", action="store_true", help="Skip system checks.")
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
        try:
            code = self._serve(flags)
        except (CannotStart, conf.Invalid) as error:
            if error.__cause__:
                # What the project's own code raised: its author needs to see where.
                traceback.print_exception(error.__cause__)
            raise CommandError(str(error), returncode=CANNOT_START) from error
        sys.exit(code)

    def _serve(self, flags: dict[str, Any]) -> int:
        options = conf.read(flags)
        place = worker.Place.taken()
        if place:
            return worker.supervised(options, place)
        self._check(flags)
        if options.processes > 1 and not getattr(self, "_called_from_command_line", False):
            raise CannotStart("More than one process can only be started from the command line: manage.py runrivet.")
        with sockets.listening(options) as places:

            def announce() -> None:
                self._announce(options, places[0])

            if options.processes == 1:
                return worker.run(options, places[0], announce)
            # The very command line again, so that a worker sees all that manage.py does.
            return Supervisor([sys.executable, *sys.orig_argv[1:]], places, options, announce).run()

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

    def _announce(self, options: conf.Options, listening: list[socket.socket]) -> None:
        """What a person wants to know of a server that starts."""
        addresses = dict.fromkeys(sockets.shown(each) for each in listening)
        for line in (
            f"django-rivet {django_rivet.__version__}, Django {django.get_version()},"
            f" Python {platform.python_version()}, settings {os.environ.get('DJANGO_SETTINGS_MODULE', '-')}",
            f"Serving {' and '.join(addresses)} by {_many(options.processes, 'process', 'es')}"
            f" with {_many(options.workers, 'thread')} each for blocking code",
            f"Bounds of a process: {options.max_connections} connections, {options.max_in_flight} requests in flight;"
            f" of a request: head {_kib(options.max_head)}, body {_kib(options.max_body)};"
            f" seconds: head {options.header_timeout:g}, body {options.body_timeout:g},"
            f" write {options.write_timeout:g}, idle {options.keep_alive:g}, queue {options.queue_timeout:g}",
            f"SIGTERM ends requests in work first ({options.graceful_timeout:g} s), Control-C stops at once",
        ):
            self.stdout.write(line)
        self.stdout.flush()


def _many(count: int, word: str, ending: str = "s") -> str:
    return f"{count} {word}{'' if count == 1 else ending}"


def _kib(count: int) -> str:
    return f"{count >> 20} MiB" if count >= 1 << 20 else f"{count / 1024:g} KiB"
