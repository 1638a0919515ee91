"""Which files of a project have changed, for development.

Looked up by name and time, not by what is imported: so a file that does not even compile is seen, and a new one too.
"""

import os
import sys
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path

from django.apps import apps
from django.template import engines

_INTERVAL = 0.2
# The share of time that looking may take, in a large project too.
_SHARE = 0.1
_SUFFIXES = (".py", ".mo")
_NOT_OURS = {"__pycache__", "node_modules", "site-packages", "dist-packages"}


class Watch:
    """Python files and translations below what the project imports from, all files below its template folders."""

    def __init__(self) -> None:
        self._code = list(_outermost(_import_folders()))
        self._templates = list(_outermost(_template_folders()))
        self.look_at = 0.0
        self._seen = self._look()

    def changed(self) -> str | None:
        """A file that was changed, made or removed since the last call; None: none. Looks a few times a second."""
        if time.monotonic() < self.look_at:
            return None
        before, self._seen = self._seen, self._look()
        if self._seen == before:
            return None
        return min(path for path, _ in before.items() ^ self._seen.items())

    def _look(self) -> dict[str, int]:
        begun = time.monotonic()
        found = dict(_files(self._code, _SUFFIXES))
        found.update(_files(self._templates, ("",)))
        now = time.monotonic()
        self.look_at = now + max(_INTERVAL, (now - begun) / _SHARE)
        return found


def _import_folders() -> Iterator[Path]:
    yield from (Path(entry or ".") for entry in sys.path)
    yield from (Path(config.path) for config in apps.get_app_configs())


def _template_folders() -> Iterator[Path]:
    for engine in engines.all():
        yield from (Path(folder) for folder in engine.template_dirs)


def _outermost(folders: Iterator[Path]) -> Iterator[Path]:
    """Those of the project: not Python's own and not what pip installed, each once."""
    paths = sysconfig.get_paths()
    foreign = [Path(paths[name]).resolve() for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    own = {
        folder
        for folder in (each.resolve() for each in folders)
        if folder.is_dir() and not any(folder.is_relative_to(other) for other in foreign)
    }
    for folder in sorted(own):
        if not any(parent in own for parent in folder.parents) and not _NOT_OURS & set(folder.parts):
            yield folder


def _files(folders: list[Path], suffixes: tuple[str, ...]) -> Iterator[tuple[str, int]]:
    """Files and their times of change. What goes while it is looked at was not there."""
    waiting = [str(folder) for folder in folders]
    while waiting:
        try:
            entries = list(os.scandir(waiting.pop()))
        except OSError:
            continue
        # A virtual environment in the project's folder.
        if any(entry.name == "pyvenv.cfg" for entry in entries):
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in _NOT_OURS and not entry.name.startswith("."):
                    waiting.append(entry.path)
            elif entry.name.endswith(suffixes):
                try:
                    yield entry.path, entry.stat().st_mtime_ns
                except OSError:
                    continue
