"""What a request's text becomes: msgspec checks and converts it, all parameters of a handler in one go."""

import copy
import re
from collections.abc import Iterable
from functools import cached_property
from typing import Any

import msgspec

from django_rivet._core import Request
from django_rivet.api.errors import HTTPError, Invalid
from django_rivet.api.route import REQUIRED, Parameter

# What msgspec raises for a body.
BAD_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_JSON = re.compile(r"application/(json|[\w.+-]+\+json)\s*(;.*)?", re.IGNORECASE)
_PATH = re.compile(r"(?:key` in `)?(\$(?:\.[^.\[\]`]+|\[[0-9.]+\])*)`")
_MISSING = re.compile(r"Object missing required field `(.*)`")


def keys_of(parameters: Iterable[Parameter]) -> list[str]:
    """What they are called among the values: the query's names as they are, as they come in a dict; once each."""
    keys: list[str] = []
    for number, each in enumerate(parameters):
        named = each.location == "query" and not each.whole and each.name not in keys
        keys.append(each.name if named else f":{number}")
    return keys


def make_struct(fields: list[tuple[str, Parameter]]) -> type[msgspec.Struct]:
    """The parameters as a Struct, with the fields p0, p1, ... for the keys."""
    members = [
        (f"p{number}", parameter.annotation, *_default(parameter)) for number, (_, parameter) in enumerate(fields)
    ]
    names = {f"p{number}": key for number, (key, _) in enumerate(fields)}
    return msgspec.defstruct("Parameters", members, rename=names, kw_only=True)


def _default(parameter: Parameter) -> tuple[Any, ...]:
    default = parameter.default
    if default is REQUIRED:
        return ()
    if isinstance(default, list | dict | set):
        return (msgspec.field(default_factory=lambda: copy.copy(default)),)
    return (default,)


def check_json(content_type: str | None) -> None:
    """Raises HTTPError (415) for what is not JSON: a page of another site can send everything else without asking."""
    if content_type is None or not _JSON.fullmatch(content_type):
        raise HTTPError(415, "Send JSON, with Content-Type: application/json.")


def body_error(error: Exception) -> HTTPError:
    """400 for what is no JSON, 422 for JSON that is not what the handler takes."""
    if isinstance(error, msgspec.ValidationError):
        detail, path = place(error)
        return Invalid([{"in": "body", "pointer": pointer(path, detail), "detail": detail}])
    if isinstance(error, RecursionError):
        return HTTPError(400, "The JSON is nested too deeply.")
    return HTTPError(400, str(error) if isinstance(error, msgspec.DecodeError) else "The body is not valid JSON.")


class Body:
    """The JSON body of one type. `decode` is msgspec's own decoder, for what is as it should be."""

    def __init__(self, annotation: Any) -> None:
        self._annotation = annotation
        self.decode = msgspec.json.Decoder(annotation).decode

    def again(self, body: bytes, error: Exception) -> Any:
        """The value of a body that `decode` has refused, or its HTTPError.

        msgspec refuses 8.0 as a whole number. To JSON Schema (2020-12, 6.1.1) it is one; some clients have no other.
        """
        if not isinstance(error, msgspec.ValidationError) or "got `float`" not in str(error):
            raise body_error(error) from None
        try:
            return msgspec.convert(_whole(msgspec.json.decode(body)), self._annotation, str_keys=True)
        except BAD_JSON as second:
            raise body_error(second) from None

    def check(self, body: bytes) -> None:
        """Raises HTTPError for what is not right."""
        try:
            self.decode(body)
        except BAD_JSON as error:
            self.again(body, error)


def _whole(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_whole(each) for each in value]
    return {name: _whole(each) for name, each in value.items()} if isinstance(value, dict) else value


def place(error: Exception) -> tuple[str, str]:
    """What msgspec says of a value, and where in it. What it says may have the value in it, however long that is."""
    detail, _, path = str(error).rpartition(" - at `")
    found = _PATH.fullmatch(path)
    return (detail, found[1]) if detail and found else (str(error), "$")


def pointer(path: str, detail: str) -> str:
    """A JSON pointer (RFC 6901) in a URI fragment for msgspec's path, e.g. `#/items/0/price` for `$.items[0].price`."""
    steps = re.findall(r"\.([^.\[\]]+)|\[([^\]]*)\]", path)
    if missing := _MISSING.fullmatch(detail):
        steps.append((missing[1], ""))
    return "#" + "".join("/" + (name or index).replace("~", "~0").replace("/", "~1") for name, index in steps)


class Explanation:
    """Says what is wrong with a request whose values could not be converted: every parameter is looked at alone."""

    def __init__(self, fields: list[tuple[str, Parameter]], body: Body | None) -> None:
        self._fields = fields
        self._body = body

    @cached_property
    def _structs(self) -> list[tuple[str, Parameter, type[msgspec.Struct]]]:
        return [(key, parameter, make_struct([(key, parameter)])) for key, parameter in self._fields]

    def __call__(self, values: dict[str, Any], request: Request | None) -> HTTPError:
        errors = []
        for key, parameter, struct in self._structs:
            try:
                msgspec.convert({key: values[key]} if key in values else {}, struct, strict=False)
                if parameter.file and key in values:
                    parameter.file.check(values[key])
            except msgspec.ValidationError as error:
                if (found := _describe(error, key, parameter, key in values)) not in errors:
                    errors.append(found)
        if self._body and request:
            try:
                self._body.check(request.body)
            except HTTPError as problem:
                if not isinstance(problem, Invalid):
                    return problem
                errors += problem.errors
        return Invalid(errors)


def _describe(error: Exception, key: str, parameter: Parameter, there: bool) -> dict[str, str]:
    detail, path = place(error)
    name = parameter.name
    if parameter.whole:
        name = path.removeprefix(f"$.{key}").removeprefix(".")
        if missing := _MISSING.fullmatch(detail):
            name, detail = f"{name}.{missing[1]}".removeprefix("."), "Required"
    elif not there:
        detail = "Required"
    return {"in": parameter.location, "name": name, "detail": detail}
