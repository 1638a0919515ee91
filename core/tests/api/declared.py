"""Handlers of each kind."""

import asyncio
from typing import Any

from django_rivet import API

KINDS = ["def", "async", "suspends", "pool"]


def declare(api: API, kind: str, path: str, function: Any, annotation: Any = None, **options: Any) -> None:
    """Declares `function`, which has no parameters, as a handler of a kind."""

    async def ready() -> Any:
        return function()

    async def suspends() -> Any:
        await asyncio.sleep(0)
        return function()

    def plain() -> Any:
        return function()

    handler = {"async": ready, "suspends": suspends}.get(kind, plain)
    if annotation is not None:
        handler.__annotations__["return"] = annotation
    api.get(path, **({"blocking": True} if kind == "pool" else {}), **options)(handler)
