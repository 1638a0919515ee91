"""The options that an API and its routers share with their routes."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, TypedDict

from django_rivet.api.auth import Authenticator
from django_rivet.api.permissions import Rule
from django_rivet.api.throttling import Throttle

type Middleware = str | Callable[..., Any]


class SocketOptions(TypedDict, total=False):
    """What may be said of a route for WebSockets."""

    auth: Authenticator | Sequence[Authenticator] | None
    permissions: Rule | Sequence[Rule] | None
    throttle: Throttle | Sequence[Throttle] | None


class Shared(SocketOptions, total=False):
    """What may be said of a route, or of all routes of a router; `API` documents it."""

    csrf: bool
    atomic: bool | str
    middleware: Sequence[Middleware]
    max_body: int | str
    timeout: float
    compress: bool | str
    responses: Mapping[int, Any]
    include_in_schema: bool


# What holds where nobody says anything.
DEFAULTS: dict[str, Any] = {
    "auth": None,
    "permissions": None,
    "csrf": True,
    "throttle": None,
    "atomic": False,
    "middleware": (),
    "max_body": None,
    "timeout": None,
    "compress": None,
    "responses": {},
    "include_in_schema": True,
}


# What other frameworks call it.
_ELSEWHERE = {
    "dependencies": "Depends in a handler's annotations; auth, permissions and throttle are for all of a router",
    "description": "Docs(description=...)",
    "exclude_unset": "msgspec.Struct(omit_defaults=True)",
    "guards": "permissions",
    "methods": "a decorator for each method",
    "response": "returns",
    "response_class": "what the handler returns",
    "response_model": "returns",
    "status_code": "status",
    "title": "Docs(title=...)",
    "url_name": "name",
    "version": "Docs(version=...)",
}


def check_names(what: str, given: Iterable[str], known: Collection[str]) -> None:
    """Raises TypeError for options that are not known."""
    unknown = sorted({*given} - {*known})
    meant = {name: [_ELSEWHERE[name]] if name in _ELSEWHERE else get_close_matches(name, known, 1) for name in unknown}
    if unknown:
        shown = (f"{name} (here: {found[0]})" if found else name for name, found in meant.items())
        raise TypeError(f"{what} has no option {', '.join(shown)}")


# How many places of one name there are. The number of one is the same in all processes, which import the same.
_places: Counter[str] = Counter()


def named(options: Mapping[str, Any], place: str) -> dict[str, Any]:
    """The options, with throttles that count for this place alone: those of two apps may both be called so."""
    throttles = options.get("throttle")
    if throttles is not None:
        _places[place] += 1
        place = f"{place} {_places[place]}"
    if isinstance(throttles, Throttle):
        return {**options, "throttle": throttles.named(place)}
    if isinstance(throttles, Sequence):
        return {
            **options,
            "throttle": [each.named(place) if isinstance(each, Throttle) else each for each in throttles],
        }
    return dict(options)
