"""Finds the view before the middleware runs, to know where it runs, and hands the match on so that it is found once."""

from __future__ import annotations

from inspect import iscoroutinefunction
from typing import Any

from django.conf import settings
from django.core.handlers.base import BaseHandler
from django.urls import Resolver404, URLResolver, get_resolver
from django.urls.resolvers import LocalePrefixPattern
from django.utils.translation import get_language, get_language_from_path, override

from .inline import Lane, Mode
from .request import RivetRequest


class Route:
    """What is known of one view."""

    __slots__ = ("is_async", "lane")

    def __init__(self, view: object, mode: Mode) -> None:
        self.is_async = iscoroutinefunction(view)
        self.lane = Lane(mode, view)


class Routes:
    """The routes seen so far, by view. I/O thread only."""

    def __init__(self, mode: Mode) -> None:
        self._mode = mode
        self._routes: dict[Any, Route] = {}
        self._by_language: dict[URLResolver, bool] = {}
        # Paths that no pattern matches: only middleware answers them.
        self._unmatched = Route(None, mode)
        # Paths that could not be resolved here: the pool tries again.
        self._opaque = Route(None, "never")

    def find(self, request: RivetRequest) -> Route:
        """The route of `request`, whose `rivet_match` is set."""
        resolver = get_resolver()
        try:
            by_language = self._by_language.get(resolver)
            if by_language is None:
                by_language = self._by_language[resolver] = settings.USE_I18N and depends_on_language(resolver)
            if by_language:
                request.rivet_language = get_language_from_path(request.path_info) or settings.LANGUAGE_CODE
                with override(request.rivet_language):
                    match = resolver.resolve(request.path_info)
            else:
                match = resolver.resolve(request.path_info)
        except Resolver404 as error:
            request.rivet_match, request.rivet_path = error, request.path_info
            return self._unmatched
        except Exception:  # a converter that reads the database, a broken URLconf: resolve_request reports it
            return self._opaque
        request.rivet_match, request.rivet_path = match, request.path_info
        try:
            return self._routes[match.func]
        except KeyError:
            route = self._routes[match.func] = Route(match.func, self._mode)
            return route
        except TypeError:  # a view that cannot be hashed
            return Route(match.func, "never")


class ResolvesOnce(BaseHandler):
    """Takes the match that Routes found, unless middleware has changed what it was found with."""

    # What BaseHandler has and its stubs do not name.
    _middleware_chain: Any
    _get_response: Any
    _view_middleware: list[Any]
    _template_response_middleware: list[Any]

    def resolve_request(self, request: Any) -> Any:
        found = getattr(request, "rivet_match", None)
        if (
            found is None
            or hasattr(request, "urlconf")
            or request.path_info != request.rivet_path
            or (request.rivet_language is not None and request.rivet_language != get_language())
        ):
            return super().resolve_request(request)
        if isinstance(found, Resolver404):
            raise found
        request.resolver_match = found
        return found.func, found.args, found.kwargs


def depends_on_language(resolver: URLResolver) -> bool:
    """Whether the same path may lead to another view in another language: i18n_patterns, translated patterns."""
    for entry in resolver.url_patterns:
        pattern = entry.pattern
        source = getattr(pattern, "_route", getattr(pattern, "_regex", ""))
        if isinstance(pattern, LocalePrefixPattern) or not isinstance(source, str):
            return True
        if isinstance(entry, URLResolver) and depends_on_language(entry):
            return True
    return False
