"""The answer of one route, for who has its values."""

import dataclasses
import functools
from collections.abc import Mapping

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from django_rivet import conf
from django_rivet.api.route import Route
from django_rivet.hatch import loop, wsgi
from django_rivet.hatch.exchange import Later, blocking, handling
from django_rivet.hatch.table import Call


@functools.cache
def options_for(max_body: int | None = None) -> conf.Options:
    """The server's, once for the process: to read them anew costs more than most handlers. max_body: a route's own."""
    options = conf.options()
    return options if max_body is None else dataclasses.replace(options, max_body=max_body)


def served(request: HttpRequest, route: Route, values: Mapping[str, str]) -> HttpResponseBase:
    """The answer of one route's `def` handler."""
    options = options_for(route.limits.max_body)
    found = blocking(request, Call(route, values), options, is_async=False)
    return wsgi.live(request, found, options) if isinstance(found, Later) else found


async def served_later(request: HttpRequest, route: Route, values: Mapping[str, str]) -> HttpResponseBase:
    """The answer of one route's `async def` handler, where a loop runs."""
    options = options_for(route.limits.max_body)
    return await loop.live(request, handling(request, Call(route, values), options), options)
