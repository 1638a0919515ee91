"""The options that an API and its routers share with their routes."""

from collections.abc import Callable, Mapping, Sequence
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


def named(options: Mapping[str, Any], place: str) -> dict[str, Any]:
    """The options, with throttles that count for this place."""
    throttles = options.get("throttle")
    if isinstance(throttles, Throttle):
        return {**options, "throttle": throttles.named(place)}
    if isinstance(throttles, Sequence):
        return {
            **options,
            "throttle": [each.named(place) if isinstance(each, Throttle) else each for each in throttles],
        }
    return dict(options)
