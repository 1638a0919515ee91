"""Waiting for a condition instead of hoping for it."""

import time
from collections.abc import Callable

# Seconds. What takes one here takes ten on a slow machine; a test that waits this long has failed.
DEADLINE = 60.0


def until[Result](condition: Callable[[], Result], what: str, deadline: float = DEADLINE) -> Result:
    """Waits until `condition` is true and returns its value."""
    end = time.monotonic() + deadline
    while not (value := condition()):
        assert time.monotonic() < end, f"{what}: not within {deadline:g} s"
        time.sleep(0.005)
    return value
