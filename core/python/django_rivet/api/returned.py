"""What a handler returns, by `returns=` or its annotation."""

from dataclasses import dataclass
from typing import Any, get_args, get_origin

from django.http.response import HttpResponseBase

from django_rivet.api import types
from django_rivet.api.plain import PlainValues
from django_rivet.api.responses import EventStream, Response, Stream
from django_rivet.api.route import REQUIRED, Handler, place

# RFC 9110 15.3.5, 15.3.6, 15.4.5.
BODILESS = (204, 205, 304)


class WrongReturn(TypeError):
    """A handler has returned what it is not declared to return. The message names it: no traceback would."""


def plain(returns: Any, status: int) -> PlainValues:
    """Which values that are no JSON a handler of a type may return: one of `-> Item` that returns a str is wrong."""
    kinds = types.alternatives(returns)
    if Any in kinds:
        return PlainValues()
    return PlainValues(
        text=any(map(types.is_text, kinds)),
        bytes=any(isinstance(each, type) and issubclass(each, bytes) for each in kinds),
        none=status in BODILESS or types.is_optional(returns),
    )


def returned(where: str, handler: Handler, returns: Any) -> Any:
    """The type of what is answered, Any when it is not known or no value that msgspec makes; None: nothing.

    returns: what the decorator says, REQUIRED where it says nothing.
    """
    if returns is not REQUIRED:
        if unknown := types.unknown_type(returns):
            raise TypeError(f"{where}: returns={returns}: {unknown.__qualname__} is no type that msgspec knows")
        return returns
    return _answered(types.annotations(handler, where).get("return", Any))


def _answered(annotation: Any) -> Any:
    kind = get_origin(annotation) or annotation
    if kind is Response:
        return _answered(get_args(annotation)[0]) if get_args(annotation) else Any
    if annotation is None or annotation is type(None):
        return None
    try:
        known = types.unknown_type(annotation) is None
    except Exception:  # whatever people write there for type checkers
        return Any
    others = any(
        isinstance(each, type) and issubclass(each, HttpResponseBase | Stream | EventStream | Response)
        for each in types.alternatives(annotation)
    )
    return annotation if known and not others else Any


@dataclass(frozen=True, slots=True)
class Declared:
    """Who has declared to return what: for messages."""

    where: str
    endpoint: Handler
    returns: Any

    def refuse(self, value: Any, why: object = "") -> WrongReturn:
        """The error for a value that is not so. why: what msgspec says of it."""
        name = self.returns.__qualname__ if isinstance(self.returns, type) else str(self.returns)
        given = "None" if value is None else type(value).__qualname__
        return WrongReturn(
            f"{self.where}: {self.endpoint.__name__} is declared to return {name} and has returned {given}"
            f"{f': {why}' if why else ''} {place(self.endpoint)}"
        )

    def unknown(self, value: Any, why: object) -> WrongReturn:
        """The error for a value that is no JSON, where no type says what becomes of it."""
        return WrongReturn(
            f"{self.where}: {self.endpoint.__name__} has returned {type(value).__qualname__}, which is no JSON: {why}; "
            f"-> Item or returns=Item says which Struct is made of it {place(self.endpoint)}"
        )
