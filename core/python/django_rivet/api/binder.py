"""Writes, where a handler is declared, the function that the engine calls: it does what this signature needs, no more.

The names in the generated code: `r` the request (or the WebSocket), `d0`, `d1`, ... what providers gave, `seen` what
the request's conditions came to, `after` the work after the answer, `stack` what is to be ended; the others are those
of `Inputs`.
"""

import contextlib
import inspect
from collections.abc import Callable

from django_rivet._core import Request, suspends
from django_rivet.api.code import Code
from django_rivet.api.conditional import check, mark
from django_rivet.api.inputs import Inputs
from django_rivet.api.made import Made, answering, unwind, unwind_async
from django_rivet.api.overrides import Overrides
from django_rivet.api.responses import Background, Response
from django_rivet.api.route import Handler, Parameter
from django_rivet.api.signature import Argument, Provider, Signature

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
        self.inputs = Inputs(signature.parameters)
        self.is_async = inspect.iscoroutinefunction(endpoint)
        self.made = not signature.socket and (made or signature.background or signature.cleans_up)
        self.answers = status != 200 and not self.made
        self.awaits = self.is_async and (self.made or self.answers or bool(signature.providers))
        self.code = Code()
        self.code.names["HANDLER"] = endpoint
        self.code.names["MADE"] = Made
        self.code.names["ANSWER"] = answering(status, signature.takes_request)

    @property
    def wants_request(self) -> bool:
        """Does it take the request first? Overriding providers may want it."""
        wants = any(argument is Request for argument in self.signature.arguments.values())
        others = any(parameter.location != "path" for parameter in self.signature.parameters)
        return wants or others or self.answers or bool(self.signature.providers)

    def make(self, rebind: Rebind | None = None, overrides: Overrides | None = None) -> Handler:
        """The function. While there are `overrides` it calls what `rebind` gives instead."""
        code = self.code
        if rebind and self.signature.providers:
            code.names |= {"OVERRIDES": overrides, "REBIND": rebind}
            passed = ", ".join(["r", *(f"{name}={name}" for name in self.path)])
            code.line("if OVERRIDES:")
            code.line(f"    return {'await ' * self.awaits}REBIND()({passed})")
        self.inputs.write(code, request="r" if self.wants_request else "None", awaits=self.awaits)
        if self.signature.background:
            code.names["BACKGROUND"] = Background
            code.line("after = BACKGROUND()")
        if self.signature.cleans_up:
            self._call_and_clean_up()
        else:
            self._providers("")
            code.line(self._return(self._value_of_handler()))
        bound = code.function(
            [*(["r", "/"] if self.wants_request else []), *self.path], self.endpoint, is_async=self.awaits
        )
        if self.is_async:
            waits = bool(self.signature.providers) or self.inputs.has_form or suspends(self.endpoint)
            bound.__suspends__ = waits  # type: ignore[attr-defined]
            if not self.awaits:
                inspect.markcoroutinefunction(bound)
        return bound

    def _providers(self, indent: str) -> None:
        names = self.code.names
        for number, provider in enumerate(self.signature.providers):
            if number == self.signature.asking:
                self._conditions(indent)
            names[f"P{number}"] = provider.function
            call = self._call(provider.function, provider.arguments, f"P{number}")
            match provider.mode:
                case "await":
                    call = f"await {call}"
                case "generator":
                    names[f"P{number}"] = contextlib.contextmanager(provider.function)
                    call = f"stack.enter_context({call})"
                case "async generator":
                    names[f"P{number}"] = contextlib.asynccontextmanager(provider.function)
                    call = f"await stack.enter_async_context({call})"
            self.code.line(f"{indent}d{number} = {call}")
        if len(self.signature.providers) == self.signature.asking:
            self._conditions(indent)

    def _conditions(self, indent: str) -> None:
        """Asks whether the handler, and the providers that are its alone, need run."""
        if not self.signature.conditions:
            return
        self.code.names |= {"CHECK": check, "MARK": mark, "RESPONSE": Response}
        given = ", ".join(f"{name}={self._expression(each)}" for name, each in self.signature.conditions.items())
        self.code.line(f"{indent}seen = CHECK(r, {given})")
        self.code.line(f"{indent}if seen.__class__ is RESPONSE:")
        self.code.line(f"{indent}    {self._return('seen')}")

    def _value_of_handler(self) -> str:
        value = f"{'await ' * self.awaits}{self._call(self.endpoint, self.signature.arguments, 'HANDLER')}"
        return f"MARK({value}, seen)" if self.signature.conditions else value

    def _call_and_clean_up(self) -> None:
        code = self.code
        code.names |= {
            "STACK": contextlib.AsyncExitStack if self.is_async else contextlib.ExitStack,
            "UNWIND": unwind_async if self.is_async else unwind,
        }
        code.line("stack = STACK()")
        code.line("try:")
        if self.inputs.has_form:
            code.line("    stack.callback(form.close)")
        self._providers("    ")
        code.line(f"    value = {self._value_of_handler()}")
        code.line("except BaseException as error:")
        code.line(f"    {'await ' * self.is_async}UNWIND(stack, error)")
        code.line("    raise")
        if not self.made:
            code.line("await stack.aclose()")
        code.line(self._return("value"))

    def _return(self, value: str) -> str:
        if not self.made:
            return f"return ANSWER(r, {value})" if self.answers else f"return {value}"
        stack = "stack" if self.signature.cleans_up else "None"
        after = "after" if self.signature.background else "None"
        return f"return MADE({value}, {stack}, {after})"

    def _call(self, function: Handler, arguments: dict[str, Argument], name: str) -> str:
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
        if isinstance(argument, Parameter):
            return self.inputs.expression(argument)
        return "r" if argument is Request else "after"
