"""Finds the view before the middleware runs, to know where it runs, and hands the match on so that it is found once."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import iscoroutinefunction
from typing import Any

from django.conf import settings
from django.core.handlers.base import BaseHandler
from django.urls import Resolver404, ResolverMatch, URLResolver, get_resolver
from django.urls.resolvers import LocalePrefixPattern, RegexPattern, RoutePattern
from django.utils.translation import get_language, get_language_from_path, override

from .inline import Lane, Mode
from .request import RivetRequest

MOST_MATCHES = 1024


class Route:
    """What is known of one view."""

    __slots__ = ("is_async", "lane")

    def __init__(self, view: object, mode: Mode) -> None:
        self.is_async = iscoroutinefunction(view)
        self.lane = Lane(mode, view)


class URLconf:
    """What is known of a URLconf."""

    __slots__ = ("by_language", "fixed", "matches")

    def __init__(self, resolver: URLResolver) -> None:
        patterns = list(_patterns(resolver))
        # The same path may lead to another view in another language: i18n_patterns, translated patterns.
        self.by_language = settings.USE_I18N and any(map(_depends_on_language, patterns))
        # A path always leads to the same view: no converter of the project's own has a say.
        self.fixed = not self.by_language and all(_converts_plainly(pattern) for pattern in patterns)
        # Matches without parameters, by path: to find one again costs a tenth. Bounded: patterns may match anything.
        self.matches: dict[str, ResolverMatch] = {}

    def keep(self, path: str, match: Any) -> None:
        plain = not match.captured_kwargs and not match.args and type(match) is ResolverMatch
        if self.fixed and plain and len(self.matches) < MOST_MATCHES:
            self.matches[path] = _copy(match)


class Routes:
    """The routes seen so far, by view. I/O thread only."""

    def __init__(self, mode: Mode) -> None:
        self._mode = mode
        self._routes: dict[Any, Route] = {}
        self._urlconfs: dict[URLResolver, URLconf] = {}
        # Paths that no pattern matches: only middleware answers them.
        self._unmatched = Route(None, mode)
        # Paths that could not be resolved here: the pool tries again.
        self._opaque = Route(None, "never")

    def find(self, request: RivetRequest) -> Route:
        """The route of `request`, whose `rivet_match` is set."""
        path = request.rivet_path = request.path_info
        try:
            match = self._resolve(request, path)
        except Resolver404 as error:
            request.rivet_match = error
            return self._unmatched
        except Exception:  # a converter that reads the database, a broken URLconf: resolve_request reports it
            return self._opaque
        request.rivet_match = match
        try:
            return self._routes[match.func]
        except KeyError:
            route = self._routes[match.func] = Route(match.func, self._mode)
            return route
        except TypeError:  # a view that cannot be hashed
            return Route(match.func, "never")

    def _resolve(self, request: RivetRequest, path: str) -> ResolverMatch:
        resolver = get_resolver()
        urlconf = self._urlconfs.get(resolver)
        if urlconf is None:
            urlconf = self._urlconfs[resolver] = URLconf(resolver)
        if (known := urlconf.matches.get(path)) is not None:
            return _copy(known)
        if urlconf.by_language:
            request.rivet_language = get_language_from_path(path) or settings.LANGUAGE_CODE
            with override(request.rivet_language):
                return resolver.resolve(path)
        match = resolver.resolve(path)
        urlconf.keep(path, match)
        return match


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
            resolved = super().resolve_request(request)
            request.core.matched(request.resolver_match.route)
            return resolved
        if isinstance(found, Resolver404):
            raise found
        request.resolver_match = found
        request.core.matched(found.route)
        return found.func, found.args, found.kwargs


def _patterns(resolver: URLResolver) -> Iterator[Any]:
    yield resolver.pattern
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from _patterns(entry)
        else:
            yield entry.pattern


def _depends_on_language(pattern: Any) -> bool:
    source = getattr(pattern, "_route", getattr(pattern, "_regex", None))
    return isinstance(pattern, LocalePrefixPattern) or not isinstance(source, str)


def _converts_plainly(pattern: Any) -> bool:
    plain = type(pattern) in (RegexPattern, RoutePattern, LocalePrefixPattern)
    return plain and all(
        type(converter).__module__ == "django.urls.converters" for converter in pattern.converters.values()
    )


def _copy(match: Any) -> ResolverMatch:
    """Another one, for a request of its own: view middleware may change the arguments."""
    copy = ResolverMatch.__new__(ResolverMatch)
    copy.__dict__.update(match.__dict__, kwargs=match.kwargs.copy(), extra_kwargs=match.extra_kwargs.copy())
    return copy
