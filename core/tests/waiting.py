"""Waiting for a condition instead of hoping for it."""

import time
from collections.abc import Callable
from typing import Any

DEADLINE = 30.0  # seconds: only a test that fails takes so long


def until(condition: Callable[[], Any], what: str, deadline: float = DEADLINE) -> Any:
    """Waits until `condition` is true and returns its value."""
    end = time.monotonic() + deadline
    while not (value := condition()):
        assert time.monotonic() < end, f"{what}: not within {deadline:g} s"
        time.sleep(0.005)
    return value
