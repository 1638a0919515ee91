"""`manage.py openapi`: the OpenAPI document, for who makes clients of it or keeps it under review."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import msgspec
from django.core.management.base import BaseCommand, CommandError

from django_rivet.discovery import routers
from django_rivet.openapi import Docs, document


class Command(BaseCommand):
    """Prints it, with the title and version of the project's `Docs`, if there are any."""

    help = "Prints the OpenAPI document of the native API."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Django's hook."""
        parser.add_argument("--output", metavar="FILE", help="write it there")
        parser.add_argument("--docs", metavar="PREFIX", help="of the Docs with this prefix, where there are several")

    def handle(self, *args: Any, output: str | None, docs: str | None, **options: Any) -> None:
        """Django's hook."""
        text = msgspec.json.format(msgspec.json.encode(self._document(docs)), indent=2).decode() + "\n"
        if output:
            Path(output).write_text(text)
        else:
            self.stdout.write(text, ending="")

    def _document(self, prefix: str | None) -> dict[str, Any]:
        found = [docs for docs in routers() if isinstance(docs, Docs) and prefix in (None, docs.prefix)]
        if prefix is not None and not found:
            raise CommandError(f"There are no Docs with the prefix {prefix}.")
        if len(found) > 1:
            raise CommandError(f"Choose with --docs: {', '.join(docs.prefix for docs in found)}.")
        return found[0].document() if found else document()
