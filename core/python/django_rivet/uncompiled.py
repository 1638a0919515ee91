"""Stands in for `_core`, the compiled part, where it is missing: native handlers can be declared, and other servers
answer with them (docs/servers.md). What only the engine can do says what is missing."""

import dis
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

_WAITS = {"GET_AWAITABLE", "GET_ANEXT", "SEND", "YIELD_VALUE", "BEFORE_ASYNC_WITH"}
MISSING = (
    f"django_rivet._core, the compiled part of django-rivet, is missing in {Path(__file__).parent} for"
    f" {sys.implementation.cache_tag}: install the wheel for this Python, or build it with Rust: pip install core/"
)


class Request:
    """For annotations: other servers' requests have the same surface."""


class WebSocket:
    """For annotations, as `Request`."""


class Disconnected(OSError):
    """The peer of a WebSocket has gone."""

    code: int
    reason: str


class Learnt:
    """For annotations: only the engine measures."""


def parse_query(query: bytes, names: dict[str, bool]) -> dict[str, Any]:
    """As `_core.pyi` has it."""
    values: dict[str, Any] = {}
    for field in query.decode("latin-1").split("&"):
        name, _, value = field.partition("=")
        name = _decoded(name)
        if not field or name not in names:
            continue
        if names[name]:
            values.setdefault(name, []).append(_decoded(value))
        else:
            values[name] = _decoded(value)
    return values


def _decoded(text: str) -> str:
    # Bytes that are no ASCII came as they are: unquote_plus takes text for UTF-8 already.
    return unquote_plus(text.encode("latin-1").decode(errors="replace"), errors="replace")


def suspends(function: Callable[..., Any]) -> bool:
    """As `_core.pyi` has it."""
    told = getattr(function, "__suspends__", None)
    if told is not None:
        return bool(told)
    if not inspect.isfunction(function):
        return True
    return any(each.opname in _WAITS for each in dis.get_instructions(function))


def __getattr__(name: str) -> Any:
    if name.startswith("__"):  # what Python itself asks of modules
        raise AttributeError(name)
    raise ImportError(MISSING)
