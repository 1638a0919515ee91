"""Django's middleware around the handlers of one API: `middleware=["django.middleware.gzip.GZipMiddleware"]`.

The handler runs as it does under another server (`hatch`): as a view, with a request and a response of Django's.
"""

import functools
from collections.abc import Callable, Sequence
from types import FunctionType, SimpleNamespace
from typing import Any

from django.conf import settings
from django.core.handlers import base
from django.core.handlers.base import BaseHandler
from django.utils.module_loading import import_string

from django_rivet._core import Request
from django_rivet.api.route import Handler, Route
from django_rivet.django.request import RivetRequest


def paths(middleware: Sequence[str | Callable[..., Any]]) -> list[str]:
    """Their names, as Django imports them. Raises TypeError for what is none."""
    if isinstance(middleware, str) or not isinstance(middleware, Sequence):
        raise TypeError(f"middleware={middleware!r}: give a list of names or classes")
    named = [each if isinstance(each, str) else f"{each.__module__}.{each.__qualname__}" for each in middleware]
    for name in named:
        try:
            import_string(name)
        except ImportError as error:
            raise TypeError(f"middleware={name!r}: {error}") from None
    return named


class _Chain(BaseHandler):
    """Django's handler with a list of middleware of its own, and `view` behind it."""

    def __init__(self, middleware: list[str], view: Handler, *, is_async: bool) -> None:
        super().__init__()
        self._view = view
        # Django's own function, for which this list is settings.MIDDLEWARE.
        names = vars(base) | {"settings": SimpleNamespace(MIDDLEWARE=middleware, DEBUG=settings.DEBUG)}
        FunctionType(BaseHandler.load_middleware.__code__, names)(self, is_async)

    def resolve_request(self, request: Any) -> Any:
        return self._view, (), {}

    def make_view_atomic(self, view: Any) -> Any:
        return view  # ATOMIC_REQUESTS is for views; handlers have `atomic`


def behind(middleware: list[str], route: Route) -> Handler:
    """The route's handler behind the middleware; takes the request first."""
    if route.kind.startswith("async"):
        wrapped: Handler = functools.update_wrapper(_later(middleware, route), route.handler)
        wrapped.__suspends__ = True  # type: ignore[attr-defined]  # after the handler's own, which are taken over
        return wrapped
    return functools.update_wrapper(_at_once(middleware, route), route.handler)


def _request(core: Request, path: dict[str, str]) -> Any:
    request: Any = RivetRequest(core)
    request.rivet_values = path
    return request


def _at_once(middleware: list[str], route: Route) -> Handler:
    from django_rivet.hatch.served import served  # hatch is made of what is being imported here

    def view(request: Any) -> Any:
        return served(request, route, request.rivet_values)

    @functools.cache
    def chain() -> _Chain:
        return _Chain(middleware, view, is_async=False)

    def behind(core: Request, /, **path: str) -> Any:
        return chain().get_response(_request(core, path))

    return behind


def _later(middleware: list[str], route: Route) -> Handler:
    from django_rivet.hatch.served import served_later

    async def view(request: Any) -> Any:
        return await served_later(request, route, request.rivet_values)

    @functools.cache
    def chain() -> _Chain:
        return _Chain(middleware, view, is_async=True)

    async def behind(core: Request, /, **path: str) -> Any:
        return await chain().get_response_async(_request(core, path))

    return behind
