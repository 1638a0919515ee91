"""Writes how a handler's parameters are read from the request: the values as they came, then converted in one go."""

import msgspec

from django_rivet._core import parse_query
from django_rivet.api.code import Code
from django_rivet.api.fields import cookies, elements
from django_rivet.api.forms import FormReader
from django_rivet.api.route import REQUIRED, Parameter
from django_rivet.api.types import is_list, record_names
from django_rivet.api.values import BAD_JSON, Body, Explanation, check_json, keys_of, make_struct


class Inputs:
    """What one handler and its providers read.

    In the code: `v` the values as they came, `p` the converted ones, `b` the JSON body, `form` what is to be closed.
    """

    def __init__(self, parameters: list[Parameter]) -> None:
        # Path parameters that are text need nothing.
        self._text = [each for each in parameters if each.location == "path" and each.is_text]
        converted = [each for each in parameters if each not in self._text and each.location != "body"]
        self._fields = list(zip(keys_of(converted), converted, strict=True))
        self._body = next((each for each in parameters if each.location == "body"), None)
        self._form = [(key, each) for key, each in self._fields if each.location in ("form", "file")]

    @property
    def has_form(self) -> bool:
        return bool(self._form)

    def expression(self, parameter: Parameter) -> str:
        """The value of one, after `write`."""
        if parameter in self._text:
            return parameter.name
        if parameter is self._body:
            return "b"
        return f"p.p{[each for _, each in self._fields].index(parameter)}"

    def write(self, code: Code, *, request: str, awaits: bool) -> None:
        """The lines that read all of them. request: "r", or "None" where there is none; awaits: they may `await`."""
        if self._body:
            self._check_body(code, self._body)
        if self._fields:
            self._collect(code)
            if self._form:
                code.names["FORM"] = FormReader(self._form)
                code.line(f"form = {'await FORM.read_later' if awaits else 'FORM.read'}(r, v)")
            self._convert(code, request)
        if self._body:
            self._read_body(code, self._body)

    def _collect(self, code: Code) -> None:
        query = {
            key: is_list(each.annotation) for key, each in self._fields if each.location == "query" and key == each.name
        }
        if query:
            code.names |= {"QUERY": query, "parse_query": parse_query}
        code.line("v = parse_query(r.query_string, QUERY)" if query else "v = {}")
        for number, (key, parameter) in enumerate(self._fields):
            _collect(code, number, key, parameter)

    def _convert(self, code: Code, request: str) -> None:
        code.names |= {
            "CONVERT": msgspec.convert,
            "PARAMETERS": make_struct(self._fields),
            "EXPLAIN": Explanation(self._fields, code.names.get("BODY")),
            "INVALID": msgspec.ValidationError,
        }
        code.line("try:")
        code.line("    p = CONVERT(v, PARAMETERS, strict=False)")
        for number, (key, parameter) in enumerate(self._fields):
            if parameter.file:
                code.names[f"FILE{number}"] = parameter.file.check
                code.line(f"    if {key!r} in v:")
                code.line(f"        FILE{number}(v[{key!r}])")
        code.line("except INVALID:")
        code.line(f"    raise EXPLAIN(v, {request}) from None")

    def _check_body(self, code: Code, body: Parameter) -> None:
        read = Body(body.annotation)
        code.names |= {"CHECK_JSON": check_json, "BODY": read, "DECODE": read.decode, "BAD_JSON": BAD_JSON}
        there = "" if body.default is REQUIRED else " and r.body"
        code.line(f"if (t := r.header('content-type')) != 'application/json'{there}:")
        code.line("    CHECK_JSON(t)")

    def _read_body(self, code: Code, body: Parameter) -> None:
        code.line("try:")
        if body.default is REQUIRED:
            code.line("    b = DECODE(r.body)")
        else:
            code.names["BODY_DEFAULT"] = body.default
            code.line("    b = DECODE(x) if (x := r.body) else BODY_DEFAULT")
        code.line("except BAD_JSON as error:")
        code.line("    b = BODY.again(r.body, error)")


def _collect(code: Code, number: int, key: str, parameter: Parameter) -> None:
    """Adds one to the values, where the request has it; a form, and the query's plain names, come in one go."""
    name = parameter.name
    match parameter.location:
        case "path":
            code.line(f"v[{key!r}] = {name}")
        case "header":
            code.names["ELEMENTS"] = elements
            code.line(f"if (x := r.header({name!r})) is not None:")
            code.line(f"    v[{key!r}] = {'ELEMENTS(x)' if is_list(parameter.annotation) else 'x'}")
        case "cookie":
            if "COOKIES" not in code.names:
                code.names["COOKIES"] = cookies
                code.line("c = COOKIES(r)")
            code.line(f"if {name!r} in c:")
            code.line(f"    v[{key!r}] = c[{name!r}]")
        case "query" if parameter.whole:
            code.names |= {f"GROUP{number}": record_names(parameter.annotation), "parse_query": parse_query}
            code.line(f"x = parse_query(r.query_string, GROUP{number})")
            code.line(f"if x or {parameter.default is REQUIRED}:")
            code.line(f"    v[{key!r}] = x")
        case "query" if key != name:
            code.line(f"if {name!r} in v:")
            code.line(f"    v[{key!r}] = v[{name!r}]")
