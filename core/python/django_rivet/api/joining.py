"""One thing in the request that several functions ask for: a handler and its providers."""

from collections.abc import Iterable
from dataclasses import replace

from django_rivet.api import types
from django_rivet.api.route import REQUIRED, Parameter


def joined(parameters: Iterable[Parameter]) -> list[Parameter]:
    """One for each thing in the request: required, or typed, if it is so to one of those who ask for it."""
    found: dict[tuple[str, ...], Parameter] = {}
    for each in parameters:
        known = found.setdefault(key(each), each)
        annotation = each.annotation if known.is_text else known.annotation
        default = REQUIRED if each.default is REQUIRED else known.default
        found[key(each)] = replace(known, annotation=annotation, default=default)
    return list(found.values())


def key(parameter: Parameter) -> tuple[str, ...]:
    """Equal for what is the same thing in a request."""
    whole = parameter.whole and parameter.location != "body"
    return parameter.location, parameter.name, str(parameter.annotation) if whole else ""


def agree(one: Parameter, other: Parameter) -> bool:
    """May two functions take one thing so: as the same type, or one of them as the text that it is?"""
    if one.location == "body" or one.file != other.file:
        return one == other
    text = (one.is_text or other.is_text) and not any(types.is_list(each.annotation) for each in (one, other))
    return text or one.annotation == other.annotation
