"""What the tests of this folder install."""

from pathlib import Path

import pytest

import wheel


@pytest.fixture(scope="session")
def distributions() -> tuple[Path, Path]:
    """The source distribution and its wheel."""
    return wheel.make()
