"""What stands around a handler: a gate before it, a transaction, Django's middleware."""

from collections.abc import Callable
from dataclasses import replace

from django_rivet.api import chain
from django_rivet.api import gate as gates
from django_rivet.api.atomic import atomic
from django_rivet.api.options import Settings
from django_rivet.api.route import Handler, Route, place

# Makes the handler anew: `bind(made=True)` is one that never answers by itself.
type Bind = Callable[..., tuple[Handler, bool]]


def surround(route: Route, settings: Settings, bind: Bind) -> Route:
    """The route with what these options ask for; the very same one where they ask for nothing. Raises TypeError."""
    try:
        return _socket(route, settings) if route.method == "WEBSOCKET" else _surround(route, settings, bind)
    except TypeError as error:
        raise TypeError(f"{route.method} {route.path}: {error} {place(route.endpoint)}") from None


def _surround(route: Route, settings: Settings, bind: Bind) -> Route:
    lane, leading = route.kind.removesuffix("+request"), route.kind.endswith("+request")
    # Who never sees the request cannot touch its session.
    touches = leading and route.method not in ("GET", "HEAD", "OPTIONS")
    gate = gates.make(settings, exempts=touches and not settings.csrf)
    if lane == "inline" and (settings.atomic or settings.middleware or (gate and (gate.blocks or gate.is_async))):
        raise TypeError("inline says that nothing blocks; its auth, permissions, throttle, atomic or middleware may")
    if settings.status != 200 and (settings.atomic or settings.throttle):
        handler, leading = bind(made=True)  # nothing is answered before the commit, or without the throttle's fields
        route = replace(route, handler=handler)
    if settings.atomic:
        if lane == "async":
            raise TypeError(_NOT_ATOMIC)
        route = replace(route, handler=atomic(route.handler, settings.atomic, route.settle))
    if gate is not None:
        handler = gate.before(route.handler, leading=leading, is_async=lane == "async")
        lane, leading = "pool" if gate.is_async and lane != "async" else lane, True
        route = replace(route, handler=handler, operation=replace(route.operation, auth=gate.auth))
    route = replace(route, kind=f"{lane}+request" if leading else lane)
    if settings.middleware:
        names = chain.paths(settings.middleware)
        untimed = replace(route, limits=replace(route.limits, timeout=None))  # the time runs outside
        route = replace(route, handler=chain.behind(names, untimed), kind=f"{lane}+request")
    return route


def _socket(route: Route, settings: Settings) -> Route:
    gate = gates.make(settings, exempts=False)
    if gate is None:
        return route
    return replace(route, handler=gate.before_socket(route.handler), operation=replace(route.operation, auth=gate.auth))


_NOT_ATOMIC = "an async def handler cannot be atomic, as Django has no async transactions: make it a def"
