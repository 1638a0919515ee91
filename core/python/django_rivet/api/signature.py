"""What a handler and the providers it depends on want of a request."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from django_rivet._core import Request
from django_rivet.api.responses import Background
from django_rivet.api.route import Handler, Parameter

type Mode = Literal["call", "await", "generator", "async generator"]


@dataclass(slots=True)
class Provider:
    """A function that gives a value for others, and what it wants itself."""

    function: Handler
    mode: Mode
    arguments: "dict[str, Argument]"

    def needed(self) -> "Iterator[Provider]":
        """This one, and those that it depends on."""
        yield self
        for each in self.arguments.values():
            if isinstance(each, Provider):
                yield from each.needed()


type Argument = Parameter | Provider | type[Request] | type[Background]


@dataclass(slots=True)
class Signature:
    """A handler's arguments by name, and all that they take.

    providers: each after those that it depends on. conditions: those that give the `etag` and the time (`modified`);
    asking: so many of the providers, the first ones, are there for them. socket: it is of a WebSocket, which stands
    where a request does.
    """

    arguments: dict[str, Argument] = field(default_factory=dict)
    parameters: list[Parameter] = field(default_factory=list)
    providers: list[Provider] = field(default_factory=list)
    conditions: dict[str, Provider] = field(default_factory=dict)
    asking: int = 0
    background: bool = False
    socket: bool = False

    @property
    def typed(self) -> bool:
        """Is there more to do than to hand over the path's parameters as they are?"""
        plain = (argument is Request or _is_text(argument) for argument in self.arguments.values())
        return not all(plain)

    @property
    def takes_request(self) -> bool:
        """Does the handler, or a provider, get the request itself?"""
        every = [self.arguments, *(provider.arguments for provider in self.providers)]
        return any(argument is Request for arguments in every for argument in arguments.values())

    @property
    def suspends(self) -> bool:
        """Does a provider need an `async def` handler?"""
        return any(provider.mode in ("await", "async generator") for provider in self.providers)

    @property
    def cleans_up(self) -> bool:
        """Is there something to end when the answer has been made?"""
        generator = any(provider.mode.endswith("generator") for provider in self.providers)
        return generator or any(parameter.location in ("form", "file") for parameter in self.parameters)


def _is_text(argument: Argument) -> bool:
    return isinstance(argument, Parameter) and argument.location == "path" and argument.is_text
