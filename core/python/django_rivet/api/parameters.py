"""Where one of a function's parameters comes from: by its marker, its name in the path, or else its type."""

from typing import Any

from django_rivet.api import types
from django_rivet.api.markers import Body, Cookie, File, Form, Header, Marker, Query
from django_rivet.api.route import REQUIRED, Location, Parameter

_LOCATIONS: dict[type[Marker], Location] = {
    Query: "query",
    Header: "header",
    Cookie: "cookie",
    Form: "form",
    File: "file",
    Body: "body",
}


def parameter(
    where: str, name: str, annotation: Any, marker: Marker | None, default: Any, path: list[str]
) -> Parameter:
    """What is read for one. path: the names in the path. Raises TypeError, with `where`, for what cannot be read."""
    location = _location(name, annotation, marker, path)
    _check(where, location, annotation)
    whole = location == "body" or (location in ("query", "form") and types.is_record(annotation))
    return Parameter(
        location=location,
        name="" if whole else _name(location, name, marker),
        annotation=annotation,
        default=REQUIRED if location == "path" else default,
        whole=whole,
        file=marker if isinstance(marker, File) and marker.limits else None,
    )


def _location(name: str, annotation: Any, marker: Marker | None, path: list[str]) -> Location:
    if marker is not None:
        return _LOCATIONS[type(marker)]
    if name in path:
        return "path"
    if types.is_file(annotation):
        return "file"
    return "body" if types.is_body(annotation) else "query"


def _name(location: Location, name: str, marker: Marker | None) -> str:
    """What it is called in the request."""
    given = marker.name if marker else None
    if location == "header":
        return (given or name.replace("_", "-")).lower()
    return given or name


def _check(where: str, location: Location, annotation: Any) -> None:
    one = location in ("path", "cookie") and types.is_list(annotation)
    if one or (location in ("path", "header", "cookie") and types.is_body(annotation)):
        raise TypeError(f"{where} comes from the {location}, which is text, and cannot be {annotation}")
    try:
        unknown = types.unknown_type(annotation)
    except (TypeError, NameError) as error:
        raise TypeError(f"{where} cannot be read from a request: {error}") from None
    if unknown:
        raise TypeError(f"{where} cannot be read from a request: {unknown.__qualname__} is no type that msgspec knows")
