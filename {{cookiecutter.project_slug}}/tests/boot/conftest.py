from collections.abc import Iterator
from pathlib import Path
from shutil import copytree, ignore_patterns, rmtree

import pytest

import stack

COPY = stack.ROOT / ".tools/copy" / stack.SLUG
LEFT_OUT = ignore_patterns(".git", ".tools", ".venv", "secrets", "*.sqlite3", "__pycache__", "media", "staticfiles")


@pytest.fixture
def project() -> Iterator[Path]:
    """A copy of the project as a newcomer has it: no secrets, no database, nothing installed."""
    rmtree(COPY.parent, ignore_errors=True)
    yield copytree(stack.ROOT, COPY, symlinks=True, ignore=LEFT_OUT)
    rmtree(COPY.parent, ignore_errors=True)
