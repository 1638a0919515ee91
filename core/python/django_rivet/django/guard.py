"""Django's sync code on the I/O thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

# Not documented: where a Python has it not, blocking code runs on threads only (server/internals.py).
_set_running_loop: Callable[[asyncio.AbstractEventLoop | None], None] | None
_set_running_loop = getattr(asyncio, "_set_running_loop", None)
LEAVES_LOOP = _set_running_loop is not None


def without_loop[**P, R](function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Calls `function` as if no event loop ran here: Django's `async_unsafe` refuses database access beside one,
    because a coroutine could be suspended in the middle; sync code cannot be.
    """
    if _set_running_loop is None:
        return function(*args, **kwargs)
    loop = asyncio.get_running_loop()
    _set_running_loop(None)
    try:
        return function(*args, **kwargs)
    finally:
        _set_running_loop(loop)
