"""Native handlers as URL patterns: for `reverse()` and `{% url %}`, and for servers other than runrivet.

    # the project's urls.py
    urlpatterns = [path("", include("django_rivet.urls")), ...]

A handler's name is `rivet:<app label>:<function name>`: `reverse("rivet:orders:read", kwargs={"number": 7})`. Another
outer namespace comes by `include("django_rivet.urls", namespace="api")`. Include it at "": runrivet serves native
handlers at their own paths.
"""

import inspect
from collections import defaultdict

from django.apps import apps
from django.urls import URLPattern, URLResolver, include, path

from django_rivet.api import PARAMETER, Route
from django_rivet.discovery import discover
from django_rivet.hatch.table import Entry, entries
from django_rivet.hatch.views import view

app_name = "rivet"


def _pattern(native: str) -> str:
    """Django's `str` takes what `{name}` takes: one segment that is not empty."""
    return PARAMETER.sub(r"<str:\1>", native).removeprefix("/")


def _label(route: Route) -> str:
    """The app that the handler belongs to."""
    config = apps.get_containing_app_config(inspect.unwrap(route.handler).__module__)
    return config.label if config else "project"


def _name(route: Route) -> str:
    return str(getattr(route, "name", None) or inspect.unwrap(route.handler).__name__)


def _resolving(table: list[Entry]) -> list[URLPattern | URLResolver]:
    """One pattern for each path, the more exact ones first, whichever app they come from."""
    return [path(_pattern(entry.path), view(entry)) for entry in table]


def _reversing(table: list[Entry]) -> list[URLPattern | URLResolver]:
    """The names, by app; the patterns above match first."""
    named: defaultdict[str, list[URLPattern]] = defaultdict(list)
    for entry in table:
        for route in entry.routes.values():
            named[_label(route)].append(path(_pattern(route.path), view(entry), name=_name(route)))
    return [path("", include((patterns, label), namespace=label)) for label, patterns in named.items()]


_table = entries(discover())
urlpatterns = _resolving(_table) + _reversing(_table)
