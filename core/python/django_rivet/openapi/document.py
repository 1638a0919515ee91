"""The OpenAPI document of some routes."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from django_rivet.api import Route
from django_rivet.api.paths import PARAMETER
from django_rivet.discovery import discover, label
from django_rivet.openapi.answers import answers
from django_rivet.openapi.operations import Described
from django_rivet.openapi.schemas import Schemas
from django_rivet.openapi.security import schemes_of

VERSION = "3.1.1"


def document(
    routes: Iterable[Route] | None = None,
    *,
    title: str = "API",
    version: str = "1",
    description: str = "",
    servers: Sequence[str] = (),
) -> dict[str, Any]:
    """The OpenAPI document, as what JSON has.

    routes: all native handlers of the project, when None. title, version, description: of the API, not of the format.
    servers: URLs where it is served; where the document comes from, when empty. WebSockets and routes with
    `include_in_schema=False` are left out. Raises ValueError for an `operation_id` that is there twice.
    """
    shown = [
        route
        for route in (discover() if routes is None else routes)
        if route.method != "WEBSOCKET" and route.operation.include_in_schema
    ]
    described = _described(shown)
    schemas = Schemas(_types(described))
    paths: dict[str, Any] = {}
    for each in described:
        paths.setdefault(each.path, {})[each.route.method.lower()] = each.operation(schemas)
    info = {"title": title, "version": version, "description": description}
    return {
        "openapi": VERSION,
        "info": {name: value for name, value in info.items() if value},
        **({"servers": [{"url": url} for url in servers]} if servers else {}),
        "paths": paths,
        "components": {"schemas": schemas.used(paths), **_security(shown)},
    }


def _described(routes: list[Route]) -> list[Described]:
    paths: dict[str, str] = {}
    names = _identities(routes)
    return [
        Described(
            route,
            answers(route),
            path=paths.setdefault(PARAMETER.sub("{}", route.path), route.path),
            identity=name,
            tags=route.operation.tags or (label(route),),
        )
        for route, name in zip(routes, names, strict=True)
    ]


def _types(described: list[Described]) -> list[Any]:
    found = [parameter.annotation for each in described for parameter in each.route.operation.parameters]
    return found + [answer.kind for each in described for answer in each.answers if answer.kind is not None]


def _identities(routes: list[Route]) -> list[str]:
    """`<app>_<name>`; where that is not one route's, its method and path. Moving a handler's line changes none."""
    own = [route.operation.operation_id or f"{label(route)}_{route.operation.name}" for route in routes]
    times = Counter(own)
    for route in routes:
        if (name := route.operation.operation_id) and times[name] > 1:
            raise ValueError(f"operation_id={name!r} is there {times[name]} times, once at {route}")
    return [
        name if times[name] == 1 else f"{name}_{route.method.lower()}{_words(route.path)}"
        for name, route in zip(own, routes, strict=True)
    ]


def _words(path: str) -> str:
    """`/a/{b}` as `_a_by_b`: `/a/b` is another."""
    return "".join(f"_{segment.replace('{', 'by_').replace('}', '')}" for segment in path.split("/") if segment)


def _security(routes: list[Route]) -> dict[str, Any]:
    schemes = {name: scheme for route in routes for name, scheme in schemes_of(route.operation)}
    return {"securitySchemes": dict(sorted(schemes.items()))} if schemes else {}
