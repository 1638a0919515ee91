"""Middleware that keeps Django's own chain in use."""

from inspect import iscoroutinefunction
from typing import Any

import routed
from django.utils.decorators import async_only_middleware, sync_and_async_middleware
from django.utils.deprecation import MiddlewareMixin


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


class OtherURLconf(MiddlewareMixin):
    def process_request(self, request: Any) -> None:
        if "other" in request.GET:
            request.urlconf = tuple(routed.other)


class OtherPath(MiddlewareMixin):
    def process_request(self, request: Any) -> None:
        if "number" in request.GET:
            request.path_info = "/number/7"


class Changes(MiddlewareMixin):
    """A view middleware that takes liberties with what it is given."""

    def process_view(self, request: Any, callback: Any, args: Any, kwargs: Any) -> None:
        kwargs["changed"] = kwargs.get("changed", 0) + 1
