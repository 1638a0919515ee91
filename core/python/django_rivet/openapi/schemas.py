"""JSON Schemas of the types that handlers take and return, by msgspec, with what it leaves open filled in."""

import copy
import enum
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from django.core.files.uploadedfile import UploadedFile
from msgspec import inspect

type Schema = dict[str, Any]

TEMPLATE = "#/components/schemas/{name}"
# OpenAPI's own word (4.8.14.4) and JSON Schema's: who makes clients knows one or the other.
FILE: Schema = {"type": "string", "format": "binary", "contentMediaType": "application/octet-stream"}

# What msgspec reads, where its schema says no more than that it is a string.
_TEXTS: dict[type[inspect.Type], Schema] = {
    inspect.DateTimeType: {"format": "date-time"},
    # A JSON number is taken too, and a string is sent.
    inspect.DecimalType: {
        "type": ["string", "number"],
        "pattern": r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$",
    },
    inspect.BytesType: {"pattern": r"^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"},
    inspect.TimeDeltaType: {"pattern": r"^P(?!$)([0-9]+W)?([0-9]+D)?(T(?=[0-9])([0-9]+H)?([0-9]+M)?([0-9]+S)?)?$"},
}


class Schemas:
    """The schemas of some types. Named ones become components, which others refer to."""

    def __init__(self, types: Iterable[Any]) -> None:
        self._types = list(types)  # found again by identity: an annotation need not be hashable
        found, self.components = msgspec.json.schema_components(self._types, schema_hook=_custom, ref_template=TEMPLATE)
        self._found = {id(kind): schema for kind, schema in zip(self._types, found, strict=True)}
        self._completed: set[str] = set()
        for schema, info in zip(found, inspect.multi_type_info(self._types), strict=True):
            self._complete(schema, info)

    def of(self, kind: Any) -> Schema:
        """The schema of one of the types, for the caller to change."""
        return copy.deepcopy(self._found[id(kind)])

    def fields(self, kind: Any) -> Iterator[tuple[str, Schema, bool]]:
        """The name of each field of a record, its schema, and whether it is required."""
        options = [self._resolve(option) for option in _options(self.of(kind))]
        seen = set()
        for option in options:
            for name, schema in option.get("properties", {}).items():
                if name not in seen:
                    seen.add(name)
                    required = all(name in each.get("required", ()) for each in options if "properties" in each)
                    yield name, copy.deepcopy(schema), required

    def used(self, described: Any) -> dict[str, Schema]:
        """The components that a description refers to, and those that they refer to."""
        found: dict[str, Schema] = {}
        pending = [described]
        while pending:
            each = pending.pop()
            if isinstance(each, dict):
                reference = each.get("$ref")
                if isinstance(reference, str) and (name := _name(reference)) in self.components and name not in found:
                    found[name] = self.components[name]
                    pending.append(found[name])
                pending += each.values()
            elif isinstance(each, list):
                pending += each
        return dict(sorted(found.items()))

    def _resolve(self, schema: Schema) -> Schema:
        return self.components[_name(schema["$ref"])] if "$ref" in schema else schema

    def _complete(self, schema: Schema, info: Any) -> None:
        """Goes through a schema and the type that it was made of, side by side."""
        while isinstance(info, inspect.Metadata):
            info = info.type
        if "$ref" in schema:
            name = _name(schema["$ref"])
            if name in self._completed:
                return
            self._completed.add(name)
            schema = self.components[name]
        if more := _TEXTS.get(type(info)):
            schema.update(more)
        for part, kind in self._parts(schema, info):
            self._complete(part, kind)

    def _parts(self, schema: Schema, info: Any) -> Iterable[tuple[Schema, Any]]:
        match info:
            case inspect.UnionType():
                return zip(_options(schema), _members(info), strict=True)
            case inspect.TupleType():
                return zip(schema.get("prefixItems", ()), info.item_types, strict=True)
            case inspect.DictType():
                return [(schema["additionalProperties"], info.value_type)] if "additionalProperties" in schema else []
            case inspect.CollectionType():
                return [(schema["items"], info.item_type)] if "items" in schema else []
        properties = schema.get("properties", {})
        return [
            (properties[field.encode_name], field.type)
            for field in getattr(info, "fields", ())
            if field.encode_name in properties
        ]


def _custom(kind: type) -> Schema:
    """Of what msgspec does not know: a file, or what handlers encode as they like."""
    if issubclass(kind, enum.Enum):  # Django's choices
        return {"title": kind.__name__, "enum": [each.value for each in kind]}
    return dict(FILE) if issubclass(kind, UploadedFile) else {"description": "Anything."}


def _name(reference: str) -> str:
    return reference.rpartition("/")[2]


def _options(schema: Schema) -> list[Schema]:
    """The alternatives of a schema, in one list."""
    return [each for option in schema["anyOf"] for each in _options(option)] if "anyOf" in schema else [schema]


def _members(union: inspect.UnionType) -> list[inspect.Type]:
    """In the order of msgspec's schema: Structs come after others, None last."""

    def order(kind: Any) -> int:
        while isinstance(kind, inspect.Metadata):
            kind = kind.type
        if isinstance(kind, inspect.NoneType):
            return 2
        return int(isinstance(kind, inspect.StructType) and not kind.array_like)

    return sorted(union.types, key=order)
