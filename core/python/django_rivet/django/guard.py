"""Django's sync code on the I/O thread."""

from __future__ import annotations

from asyncio import _set_running_loop, get_running_loop
from collections.abc import Callable


def without_loop[**P, R](function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Calls `function` as if no event loop ran here: Django's `async_unsafe` refuses database access beside one,
    because a coroutine could be suspended in the middle; sync code cannot be.
    """
    loop = get_running_loop()
    _set_running_loop(None)
    try:
        return function(*args, **kwargs)
    finally:
        _set_running_loop(loop)
