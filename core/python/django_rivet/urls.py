"""Native handlers as URL patterns: for `reverse()` and `{% url %}`, and for servers other than runrivet.

    # the project's urls.py
    urlpatterns = [path("", include("django_rivet.urls")), ...]

A handler's name is `rivet:<app label>:<function name>`: `reverse("rivet:orders:read", kwargs={"number": 7})`. Another
outer namespace comes by `include("django_rivet.urls", namespace="api")`. Include it at "": runrivet serves native
handlers at their own paths.
"""

from collections import defaultdict

from django.urls import URLPattern, URLResolver, include, path

from django_rivet.api.paths import PARAMETER
from django_rivet.discovery import discover, label
from django_rivet.hatch.table import Entry, entries
from django_rivet.hatch.views import view

app_name = "rivet"


def _pattern(native: str) -> str:
    """Django's `str` takes what `{name}` takes: one segment that is not empty."""
    return PARAMETER.sub(r"<str:\1>", native).removeprefix("/")


def _resolving(table: list[Entry]) -> list[URLPattern | URLResolver]:
    """One pattern for each path, the more exact ones first, whichever app they come from."""
    return [path(_pattern(entry.path), view(entry)) for entry in table]


def _reversing(table: list[Entry]) -> list[URLPattern | URLResolver]:
    """The names, by app; the patterns above match first."""
    named: defaultdict[str, list[URLPattern]] = defaultdict(list)
    for entry in table:
        for route in entry.routes.values():
            named[label(route)].append(path(_pattern(route.path), view(entry), name=route.operation.name))
    return [path("", include((patterns, label), namespace=label)) for label, patterns in named.items()]


_table = entries(discover())
urlpatterns = _resolving(_table) + _reversing(_table)
