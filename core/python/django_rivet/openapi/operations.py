"""The Operation Object of a route: https://spec.openapis.org/oas/v3.1.1.html#operation-object"""

from typing import Any

import msgspec

from django_rivet.api import Parameter, Route
from django_rivet.api.paths import PARAMETER
from django_rivet.api.route import REQUIRED
from django_rivet.openapi.answers import ANYTHING, BYTES, READING, Answer
from django_rivet.openapi.schemas import Schema, Schemas
from django_rivet.openapi.security import requirements

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
_TEXT = {"type": "string"}
_HEADERS = {
    "ETag": {"description": "The version of what is sent.", "schema": _TEXT},
    "Last-Modified": {"description": "When it was changed.", "schema": _TEXT},
    "Location": {"description": "Where it is.", "schema": _TEXT},
    "RateLimit": {"description": "What is left of each policy, and seconds until it begins anew.", "schema": _TEXT},
    "RateLimit-Policy": {"description": "How many requests in how many seconds.", "schema": _TEXT},
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}},
    "WWW-Authenticate": {"description": "How to say who you are.", "schema": _TEXT},
}


# What a client asks by the fields that tell a version (RFC 9110 13.1), reading or changing it.
_CONDITIONS = {"ETag": ("If-None-Match", "If-Match"), "Last-Modified": ("If-Modified-Since", "If-Unmodified-Since")}


class Described:
    """One route, its answers and the id that it shall have."""

    def __init__(self, route: Route, answers: list[Answer], path: str, identity: str, tags: tuple[str, ...]) -> None:
        self.route = route
        self.answers = answers
        self.path = path
        self.identity = identity
        self.tags = tags
        # Paths that take the same requests are one, so their parameters have one name: the first route's.
        names = PARAMETER.findall(route.path), PARAMETER.findall(path)
        self._renamed = dict(zip(*names, strict=True))

    def operation(self, schemas: Schemas) -> dict[str, Any]:
        """The object; without what is empty."""
        operation = self.route.operation
        found: dict[str, Any] = {
            "operationId": self.identity,
            "tags": list(self.tags),
            "summary": operation.summary,
            "description": operation.description,
            "deprecated": operation.deprecated,
            "parameters": self._parameters(schemas),
            "requestBody": self._body(schemas),
            "responses": self._responses(schemas),
            "security": requirements(operation),
        }
        return {name: value for name, value in found.items() if value}

    def _parameters(self, schemas: Schemas) -> list[dict[str, Any]]:
        found = []
        for name in PARAMETER.findall(self.route.path):
            known = [each for each in self.route.operation.parameters if (each.location, each.name) == ("path", name)]
            schema = _path_schema(schemas.of(known[0].annotation)) if known else {"type": "string", "minLength": 1}
            found.append({"name": self._renamed[name], "in": "path", "required": True, "schema": schema})
        for parameter in self.route.operation.parameters:
            if parameter.location in ("query", "header", "cookie"):
                for name, schema, required in _fields(parameter, schemas):
                    needed = {"required": True} if required else {}
                    found.append({"name": name, "in": parameter.location, **needed, "schema": schema})
        own = {each["name"].lower() for each in found if each["in"] == "header"}
        return found + [
            {"name": name, "in": "header", "schema": _TEXT}
            for name in self._conditions()
            if name.lower() not in own
        ]

    def _conditions(self) -> list[str]:
        changes = self.route.method not in READING
        return [_CONDITIONS[each][changes] for each in self.route.operation.validators]

    def _body(self, schemas: Schemas) -> dict[str, Any]:
        body = self.route.operation.body
        if body:
            required = {"required": True} if body.default is REQUIRED else {}
            return {**required, "content": {"application/json": {"schema": schemas.of(body.annotation)}}}
        parts = [each for each in self.route.operation.parameters if each.location in ("form", "file")]
        if not parts:
            return {}
        fields = [field for each in parts for field in _fields(each, schemas)]
        schema: Schema = {"type": "object", "properties": {name: each for name, each, _ in fields}}
        if required_names := [name for name, _, required in fields if required]:
            schema["required"] = required_names
        files = any(each.location == "file" and each.default is REQUIRED for each in parts)
        medias = (MULTIPART,) if files else (MULTIPART, FORM)
        types = {each.name: ", ".join(each.file.types) for each in parts if each.file and each.file.types}
        encoding = {"encoding": {name: {"contentType": each} for name, each in types.items()}} if types else {}
        content = {media: {"schema": schema, **(encoding if media == MULTIPART else {})} for media in medias}
        return {"required": True, "content": content}

    def _responses(self, schemas: Schemas) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for answer in self.answers:
            response = found.setdefault(str(answer.status), {"description": answer.description})
            if answer.written is not None:
                response.update(answer.written)
            if answer.headers:
                response["headers"] = {name: _HEADERS[name] for name in answer.headers}
            if answer.media:
                response.setdefault("content", {})[answer.media] = _media(answer, schemas)
        return found


def _media(answer: Answer, schemas: Schemas) -> dict[str, Any]:
    if answer.media in (ANYTHING, BYTES) or answer.kind is None:
        return {}
    return {"schema": schemas.of(answer.kind)}


def _path_schema(schema: Schema) -> Schema:
    """An empty segment is another path."""
    return {"minLength": 1} | schema if schema.get("type") == "string" and "format" not in schema else schema


def _fields(parameter: Parameter, schemas: Schemas) -> list[tuple[str, Schema, bool]]:
    """The names that a parameter reads: its own, or those of its fields."""
    required = parameter.default is REQUIRED
    if parameter.whole:
        return [(name, schema, needed and required) for name, schema, needed in schemas.fields(parameter.annotation)]
    schema = schemas.of(parameter.annotation)
    if parameter.file and parameter.file.max_size is not None:
        schema.get("items", schema)["maxLength"] = parameter.file.max_size  # of bytes, as they are sent (4.8.14.4)
    if not required and parameter.default is not None:
        try:
            schema["default"] = msgspec.to_builtins(parameter.default)
        except TypeError:  # msgspec does not know it: nor would who reads the schema
            pass
    return [(parameter.name, schema, required)]
