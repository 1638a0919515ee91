"""Middleware that keeps Django's own chain in use."""

from inspect import iscoroutinefunction
from typing import Any

from django.utils.decorators import async_only_middleware, sync_and_async_middleware


@sync_and_async_middleware
def function(get_response: Any) -> Any:
    if iscoroutinefunction(get_response):

        async def amiddleware(request: Any) -> Any:
            return await get_response(request)

        return amiddleware

    def middleware(request: Any) -> Any:
        return get_response(request)

    return middleware


@async_only_middleware
def only_async(get_response: Any) -> Any:
    async def middleware(request: Any) -> Any:
        return await get_response(request)

    return middleware
