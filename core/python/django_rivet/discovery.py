"""Finds the native handlers of the project: every `API` in the module `api` of each installed app."""

from dataclasses import replace
from importlib import import_module
from typing import Any

from django.apps import apps
from django.utils.module_loading import module_has_submodule

from django_rivet.api import API, Route, Router
from django_rivet.origin import Check, guard


def discover() -> list[Route]:
    """All routes, in the order of INSTALLED_APPS. An error while an `api` module is imported goes to the caller."""
    return [route for _, router in _routers() if isinstance(router, API) for route in router.routes]


def routers() -> list[Router]:
    """All routers that serve something: every API, and what it includes."""
    return [each for _, router in _routers() if isinstance(router, API) for each in router.included]


def forgotten() -> list[str]:
    """Routers with handlers that no API includes, by the names that they have in a module `api`."""
    routers = _routers()
    apis = [router for _, router in routers if isinstance(router, API)]
    return [name for name, router in routers if router.routes and not any(api.has(router) for api in apis)]


def _routers() -> list[tuple[str, Router]]:
    found: dict[int, tuple[str, Router]] = {}
    for config in apps.get_app_configs():
        if config.module is not None and module_has_submodule(config.module, "api"):
            module = import_module(f"{config.name}.api")
            for name, value in vars(module).items():
                if isinstance(value, Router):
                    # One API may be imported by others: it counts once.
                    found.setdefault(id(value), (f"{module.__name__}.{name}", value))
    return list(found.values())


def label(route: Route) -> str:
    """The label of the app that a handler belongs to."""
    config = apps.get_containing_app_config(route.endpoint.__module__)
    return config.label if config else "project"


def conflicts(routes: list[Route]) -> list[tuple[Route, Route]]:
    """Pairs of routes that take the same requests: the first one, and each later one."""
    first: dict[tuple[str, str], Route] = {}
    return [(taken, route) for route in routes if (taken := first.setdefault(route.key, route)) is not route]


def native_routes(allowed: Check) -> list[tuple[Any, ...]]:
    """The project's routes for `Reactor.native`; see `given`."""
    return given(discover(), allowed)


def given(routes: list[Route], allowed: Check) -> list[tuple[Any, ...]]:
    """Routes for `Reactor.native`, with WebSockets behind the Origin check `allowed` (`origin.origin_check`)."""
    return [
        (replace(route, handler=guard(route.handler, allowed)) if route.method == "WEBSOCKET" else route).given
        for route in routes
    ]
