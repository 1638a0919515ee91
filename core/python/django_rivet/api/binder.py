"""Writes, where a handler is declared, the function that the engine calls: it does what this signature needs, no more.

The names in the generated code: `r` the request (or the WebSocket), `v` the values as they came, `p` the converted
ones, `b` the JSON body, `d0`, `d1`, ... what providers gave, `seen` what the request's conditions came to, `after` the
work after the answer, `stack` what is to be ended.
"""

import contextlib
import functools
import inspect
from collections.abc import Callable
from typing import Any

import msgspec

from django_rivet._core import Request, parse_query, suspends
from django_rivet.api.conditional import check, mark
from django_rivet.api.forms import FormReader
from django_rivet.api.made import Made, answering, unwind, unwind_async
from django_rivet.api.overrides import Overrides
from django_rivet.api.responses import Background, Response
from django_rivet.api.route import REQUIRED, Handler, Parameter
from django_rivet.api.signature import Argument, Provider, Signature
from django_rivet.api.types import is_list, record_names
from django_rivet.api.values import (
    BAD_JSON,
    Body,
    Explanation,
    check_json,
    cookies,
    elements,
    keys_of,
    make_struct,
)

type Rebind = Callable[[], Handler]


class Binder:
    """Makes the function for one handler.

    status: of its values, 200 if nothing else was declared. made: what it returns is always for the route's `settle`.
    A WebSocket's handler has no value: what is to be ended ends with it.
    """

    def __init__(self, endpoint: Handler, signature: Signature, path: list[str], *, status: int, made: bool) -> None:
        self.endpoint = endpoint
        self.signature = signature
        self.path = path
        self.is_async = inspect.iscoroutinefunction(endpoint)
        # Path parameters that are text need nothing.
        self.text = [each for each in signature.parameters if each.location == "path" and each.annotation in (str, Any)]
        converted = [each for each in signature.parameters if each not in self.text and each.location != "body"]
        self.fields = list(zip(keys_of(converted), converted, strict=True))
        self.body = next((each for each in signature.parameters if each.location == "body"), None)
        self.form = [(key, each) for key, each in self.fields if each.location in ("form", "file")]
        self.made = not signature.socket and (made or signature.background or signature.cleans_up)
        self.answers = status != 200 and not self.made
        self.awaits = self.is_async and (self.made or self.answers or bool(signature.providers))
        self.names: dict[str, Any] = {
            "HANDLER": endpoint,
            "MADE": Made,
            "ANSWER": answering(status, signature.takes_request),
        }
        self.lines: list[str] = []

    @property
    def wants_request(self) -> bool:
        """Does it take the request first? Overriding providers may want it."""
        wants = any(argument is Request for argument in self.signature.arguments.values())
        others = any(parameter.location != "path" for parameter in self.signature.parameters)
        return wants or others or self.answers or bool(self.signature.providers)

    def make(self, rebind: Rebind | None = None, overrides: Overrides | None = None) -> Handler:
        """The function. While there are `overrides` it calls what `rebind` gives instead."""
        if rebind and self.signature.providers:
            self.names |= {"OVERRIDES": overrides, "REBIND": rebind}
            passed = ", ".join(["r", *(f"{name}={name}" for name in self.path)])
            self.line("if OVERRIDES:")
            self.line(f"    return {'await ' * self.awaits}REBIND()({passed})")
        self._values()
        if self.signature.background:
            self.names["BACKGROUND"] = Background
            self.line("after = BACKGROUND()")
        if self.signature.cleans_up:
            self._call_and_clean_up()
        else:
            self._providers("")
            self.line(self._return(self._value_of_handler()))
        return self._compile()

    def line(self, text: str) -> None:
        self.lines.append(f"    {text}")

    def _values(self) -> None:
        query = {
            key: is_list(each.annotation) for key, each in self.fields if each.location == "query" and key == each.name
        }
        if self.body:
            self._check_body(self.body)
        if not self.fields:
            if self.body:
                self._read_body(self.body)
            return
        if query:
            self.names |= {"QUERY": query, "parse_query": parse_query}
        self.line("v = parse_query(r.query_string, QUERY)" if query else "v = {}")
        for number, (key, parameter) in enumerate(self.fields):
            self._value(number, key, parameter)
        if self.form:
            self.names["FORM"] = FormReader(self.form)
            self.line(f"form = {'await FORM.read_later' if self.awaits else 'FORM.read'}(r, v)")
        self.names |= {
            "CONVERT": msgspec.convert,
            "PARAMETERS": make_struct(self.fields),
            "EXPLAIN": Explanation(self.fields, self.names.get("BODY")),
            "INVALID": msgspec.ValidationError,
        }
        self.line("try:")
        self.line("    p = CONVERT(v, PARAMETERS, strict=False)")
        for number, (key, parameter) in enumerate(self.fields):
            if parameter.file:
                self.names[f"FILE{number}"] = parameter.file.check
                self.line(f"    if {key!r} in v:")
                self.line(f"        FILE{number}(v[{key!r}])")
        self.line("except INVALID:")
        self.line(f"    raise EXPLAIN(v, {'r' if self.wants_request else 'None'}) from None")
        if self.body:
            self._read_body(self.body)

    def _value(self, number: int, key: str, parameter: Parameter) -> None:
        match parameter.location:
            case "path":
                self.line(f"v[{key!r}] = {parameter.name}")
            case "header":
                many = is_list(parameter.annotation)
                self.names["ELEMENTS"] = elements
                self.line(f"if (x := r.header({parameter.name!r})) is not None:")
                self.line(f"    v[{key!r}] = {'ELEMENTS(x)' if many else 'x'}")
            case "cookie":
                if "COOKIES" not in self.names:
                    self.names["COOKIES"] = cookies
                    self.line("c = COOKIES(r)")
                self.line(f"if {parameter.name!r} in c:")
                self.line(f"    v[{key!r}] = c[{parameter.name!r}]")
            case "query" if key != parameter.name and not parameter.whole:
                self.line(f"if {parameter.name!r} in v:")
                self.line(f"    v[{key!r}] = v[{parameter.name!r}]")
            case "query" if parameter.whole:
                self.names |= {f"GROUP{number}": record_names(parameter.annotation), "parse_query": parse_query}
                self.line(f"x = parse_query(r.query_string, GROUP{number})")
                self.line(f"if x or {parameter.default is REQUIRED}:")
                self.line(f"    v[{key!r}] = x")

    def _check_body(self, body: Parameter) -> None:
        read = Body(body.annotation)
        self.names |= {"CHECK_JSON": check_json, "BODY": read, "DECODE": read.decode, "BAD_JSON": BAD_JSON}
        there = "" if body.default is REQUIRED else " and r.body"
        self.line(f"if (t := r.header('content-type')) != 'application/json'{there}:")
        self.line("    CHECK_JSON(t)")

    def _read_body(self, body: Parameter) -> None:
        self.line("try:")
        if body.default is REQUIRED:
            self.line("    b = DECODE(r.body)")
        else:
            self.names["BODY_DEFAULT"] = body.default
            self.line("    b = DECODE(x) if (x := r.body) else BODY_DEFAULT")
        self.line("except BAD_JSON as error:")
        self.line("    b = BODY.again(r.body, error)")

    def _providers(self, indent: str) -> None:
        for number, provider in enumerate(self.signature.providers):
            if number == self.signature.asking:
                self._conditions(indent)
            self.names[f"P{number}"] = provider.function
            call = self._call(provider.function, provider.arguments, f"P{number}")
            match provider.mode:
                case "await":
                    call = f"await {call}"
                case "generator":
                    self.names[f"P{number}"] = contextlib.contextmanager(provider.function)
                    call = f"stack.enter_context({call})"
                case "async generator":
                    self.names[f"P{number}"] = contextlib.asynccontextmanager(provider.function)
                    call = f"await stack.enter_async_context({call})"
            self.line(f"{indent}d{number} = {call}")
        if len(self.signature.providers) == self.signature.asking:
            self._conditions(indent)

    def _conditions(self, indent: str) -> None:
        """Asks whether the handler, and the providers that are its alone, need run."""
        if not self.signature.conditions:
            return
        self.names |= {"CHECK": check, "MARK": mark, "RESPONSE": Response}
        given = ", ".join(f"{name}={self._expression(each)}" for name, each in self.signature.conditions.items())
        self.line(f"{indent}seen = CHECK(r, {given})")
        self.line(f"{indent}if seen.__class__ is RESPONSE:")
        self.line(f"{indent}    {self._return('seen')}")

    def _value_of_handler(self) -> str:
        value = f"{'await ' * self.awaits}{self._call(self.endpoint, self.signature.arguments)}"
        return f"MARK({value}, seen)" if self.signature.conditions else value

    def _call_and_clean_up(self) -> None:
        self.names |= {
            "STACK": contextlib.AsyncExitStack if self.is_async else contextlib.ExitStack,
            "UNWIND": unwind_async if self.is_async else unwind,
        }
        self.line("stack = STACK()")
        self.line("try:")
        if self.form:
            self.line("    stack.callback(form.close)")
        self._providers("    ")
        self.line(f"    value = {self._value_of_handler()}")
        self.line("except BaseException as error:")
        self.line(f"    {'await ' * self.is_async}UNWIND(stack, error)")
        self.line("    raise")
        if not self.made:
            self.line("await stack.aclose()")
        self.line(self._return("value"))

    def _return(self, value: str) -> str:
        if not self.made:
            return f"return ANSWER(r, {value})" if self.answers else f"return {value}"
        stack = "stack" if self.signature.cleans_up else "None"
        after = "after" if self.signature.background else "None"
        return f"return MADE({value}, {stack}, {after})"

    def _call(self, function: Handler, arguments: dict[str, Argument], name: str = "HANDLER") -> str:
        passed = []
        positional = True
        for each in inspect.signature(function).parameters.values():
            if each.name in arguments:
                positional = positional and each.kind is not each.KEYWORD_ONLY
                value = self._expression(arguments[each.name])
                passed.append(value if positional else f"{each.name}={value}")
            elif each.kind is each.VAR_KEYWORD and function is self.endpoint:
                passed += [f"{rest}={rest}" for rest in self.path if rest not in arguments]
            else:
                positional = False
        return f"{name}({', '.join(passed)})"

    def _expression(self, argument: Argument) -> str:
        if isinstance(argument, Provider):
            return f"d{self.signature.providers.index(argument)}"
        if not isinstance(argument, Parameter):
            return "r" if argument is Request else "after"
        if argument in self.text:
            return argument.name
        if argument is self.body:
            return "b"
        return f"p.p{[parameter for _, parameter in self.fields].index(argument)}"

    def _compile(self) -> Handler:
        head = ", ".join((["r", "/"] if self.wants_request else []) + self.path)
        source = "\n".join([f"{'async ' * self.awaits}def bound({head}):", *self.lines])
        exec(compile(source, f"<what {self.endpoint.__qualname__} takes>", "exec"), self.names)
        bound: Handler = functools.update_wrapper(self.names["bound"], self.endpoint)
        if self.is_async:
            bound.__suspends__ = bool(self.signature.providers or self.form) or suspends(self.endpoint)  # type: ignore[attr-defined]
            if not self.awaits:
                inspect.markcoroutinefunction(bound)
        return bound
