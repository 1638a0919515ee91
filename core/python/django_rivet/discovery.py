"""Finds the native handlers of the project: every `API` in the module `api` of each installed app."""

from importlib import import_module

from django.apps import apps
from django.utils.module_loading import module_has_submodule

from django_rivet.api import API, Handler, Route
from django_rivet.api.route import Settle
from django_rivet.origin import Check, guard


def discover() -> list[Route]:
    """All routes, in the order of INSTALLED_APPS. An error while an `api` module is imported goes to the caller."""
    found: dict[int, API] = {}
    for config in apps.get_app_configs():
        if config.module is not None and module_has_submodule(config.module, "api"):
            module = import_module(f"{config.name}.api")
            # One API may be imported by others: it counts once.
            found |= {id(value): value for value in vars(module).values() if isinstance(value, API)}
    return [route for api in found.values() for route in api.routes]


def conflicts(routes: list[Route]) -> list[tuple[Route, Route]]:
    """Pairs of routes that take the same requests: the first one, and each later one."""
    first: dict[tuple[str, str], Route] = {}
    return [(taken, route) for route in routes if (taken := first.setdefault(route.key, route)) is not route]


def native_routes(allowed: Check) -> list[tuple[str, str, Handler, str, Settle]]:
    """The routes for `Reactor.native`, with WebSockets behind the Origin check `allowed` (`origin.origin_check`)."""
    return [
        (
            route.method,
            route.path,
            guard(route.handler, allowed) if route.method == "WEBSOCKET" else route.handler,
            route.kind,
            route.settle,
        )
        for route in discover()
    ]
