"""Django's sync code on the I/O thread."""

from __future__ import annotations

from asyncio import _set_running_loop, get_running_loop  # type: ignore[attr-defined]
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from django.dispatch import Signal

P = ParamSpec("P")
R = TypeVar("R")


def without_loop(function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Calls `function` as if no event loop ran here: Django's `async_unsafe` refuses database access beside one, because
    a coroutine could be suspended in the middle; sync code cannot be.
    """
    loop = get_running_loop()
    _set_running_loop(None)
    try:
        return function(*args, **kwargs)
    finally:
        _set_running_loop(loop)


def has_async_receivers(signal: Signal) -> bool:
    """Whether `send` would start a loop of its own for some receiver, which on the I/O thread holds up all others."""
    return any(is_async for *_, is_async in signal.receivers)
