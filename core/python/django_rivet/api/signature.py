"""What a handler and the providers it depends on want of a request, read from their signatures."""

import inspect
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal

from django_rivet._core import Request, WebSocket
from django_rivet.api import types
from django_rivet.api.markers import Body, Cookie, Depends, File, Form, Header, Marker, Query
from django_rivet.api.responses import Background
from django_rivet.api.route import REQUIRED, Handler, Location, Parameter

type Mode = Literal["call", "await", "generator", "async generator"]
type Overrides = Mapping[Handler, Handler]

_LOCATIONS: dict[type[Marker], Location] = {
    Query: "query",
    Header: "header",
    Cookie: "cookie",
    Form: "form",
    File: "file",
    Body: "body",
}


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
    """A handler's arguments by name (None: not one argument is made), and all that they take.

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
    return isinstance(argument, Parameter) and argument.location == "path" and _is_any_text(argument)


def joined(parameters: Iterable[Parameter]) -> list[Parameter]:
    """One for each thing in the request: required, or typed, if it is so to one of those who ask for it."""
    found: dict[tuple[str, ...], Parameter] = {}
    for each in parameters:
        known = found.setdefault(_key(each), each)
        annotation = each.annotation if _is_any_text(known) else known.annotation
        default = REQUIRED if each.default is REQUIRED else known.default
        found[_key(each)] = replace(known, annotation=annotation, default=default)
    return list(found.values())


def _key(parameter: Parameter) -> tuple[str, ...]:
    whole = parameter.whole and parameter.location != "body"
    return parameter.location, parameter.name, str(parameter.annotation) if whole else ""


def _is_any_text(parameter: Parameter) -> bool:
    return parameter.annotation in (str, Any)


def _agree(one: Parameter, other: Parameter) -> bool:
    """May two functions take one thing so: as the same type, or one of them as the text that it is?"""
    if one.location == "body" or one.file != other.file:
        return one == other
    text = any(map(_is_any_text, (one, other))) and not any(types.is_list(each.annotation) for each in (one, other))
    return text or one.annotation == other.annotation


class Reader:
    """Reads one handler's signature; raises TypeError, with `where`, for what cannot be served."""

    def __init__(self, where: str, path: list[str], overrides: Overrides) -> None:
        self.where = where
        self.path = path
        self.overrides = overrides
        self.found = Signature()
        self._handler: Handler | None = None
        self._providers: dict[Handler, Provider] = {}
        self._parameters: dict[tuple[str, ...], list[Parameter]] = {}

    def read(
        self, handler: Handler, method: str, conditions: Mapping[str, Handler] = MappingProxyType({})
    ) -> Signature:
        """conditions: what gives the `etag` and the time (`modified`), as `Depends` takes it."""
        self._handler = handler
        self.found.socket = method == "WEBSOCKET"
        self.found.arguments = self._arguments(handler)
        self.found.conditions = {name: self._provider(each) for name, each in conditions.items()}
        first = {id(needed) for each in self.found.conditions.values() for needed in each.needed()}
        self.found.providers.sort(key=lambda each: id(each) not in first)
        self.found.asking = len(first)
        self._check_path(handler)
        locations = {parameter.location for parameter in self.found.parameters}
        if "body" in locations and method in ("GET", "HEAD"):
            raise TypeError(f"{self.where}: {method} has no body; mark what comes from the query with Query()")
        if "body" in locations and locations & {"form", "file"}:
            raise TypeError(f"{self.where}: the body is either JSON or a form")
        if self.found.suspends and not inspect.iscoroutinefunction(handler):
            raise TypeError(
                f"{self.where}: {_name(handler)} has an async provider, etag or last_modified, and must be an async def"
            )
        return self.found

    def _arguments(self, function: Handler) -> dict[str, Argument]:
        hints = types.annotations(function, self.where)
        arguments: dict[str, Argument] = {}
        for place, (name, parameter) in enumerate(inspect.signature(function).parameters.items()):
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                continue
            if isinstance(parameter.default, Marker | Depends):
                raise TypeError(
                    f"{self.where}: {_name(function)}: a default is the value itself; where {name!r} comes from stands "
                    f"in its annotation: {name}: Annotated[..., {type(parameter.default).__name__}(...)]"
                )
            if self._is_sender(function, place, name, hints.get(name)):
                arguments[name] = Request
            elif name in hints or name in self.path:
                annotation = hints.get(name, str)
                arguments[name] = self._argument(name, annotation, parameter.default)
            elif parameter.default is REQUIRED:
                raise TypeError(
                    f"{self.where}: {_name(function)}{inspect.signature(function)} does not fit the path: missing a "
                    f"required argument: {name!r}; with an annotation it is read from the request"
                )
        return arguments

    def _is_sender(self, function: Handler, place: int, name: str, annotation: Any) -> bool:
        """Is it the request itself, or the WebSocket? Raises TypeError for the one of them that is not there."""
        annotation, marker = types.split(annotation)
        kinds = [] if marker else types.alternatives(annotation)
        here, other = (WebSocket, Request) if self.found.socket else (Request, WebSocket)
        if here in kinds:
            return True
        if other in kinds:
            raise TypeError(
                f"{self.where}: {_name(function)} gets a {here.__name__}, and {name!r} is a {other.__name__}; "
                "what serves both takes Request | WebSocket"
            )
        leads = name == "request" or (self.found.socket and function is self._handler)
        return leads and marker is None and place == 0 and name not in self.path

    def _check_path(self, handler: Handler) -> None:
        if any(each.kind is each.VAR_KEYWORD for each in inspect.signature(handler).parameters.values()):
            return
        for name in self.path:
            if name not in self.found.arguments:
                raise TypeError(
                    f"{self.where}: {_name(handler)}{inspect.signature(handler)} does not fit the path: "
                    f"it has no parameter {name!r}"
                )

    def _argument(self, name: str, annotation: Any, default: Any) -> Argument:
        annotation, marker = types.split(annotation)
        if isinstance(marker, Depends):
            return self._provider(marker.provider)
        if annotation is Background:
            if self.found.socket:
                raise TypeError(f"{self.where}: {name}: Background is work after an answer, and a WebSocket gets none")
            self.found.background = True
            return Background
        return self._parameter(name, annotation, marker, default)

    def _parameter(self, name: str, annotation: Any, marker: Marker | None, default: Any) -> Parameter:
        where = f"{self.where}: the parameter {name!r}"
        location: Location
        if marker is not None:
            location = _LOCATIONS[type(marker)]
        elif name in self.path:
            location, default = "path", REQUIRED
        elif types.is_file(annotation):
            location = "file"
        else:
            location = "body" if types.is_body(annotation) else "query"
        if self.found.socket and location in ("body", "form", "file"):
            raise TypeError(
                f"{where} comes from the {location}, and a WebSocket's handshake has none; "
                "Query() takes it from the query"
            )
        whole = location == "body" or (location in ("query", "form") and types.is_record(annotation))
        wire = "" if whole else marker.name if marker and marker.name else name
        if location == "header":
            wire = wire.replace("_", "-").lower() if not (marker and marker.name) else wire.lower()
        one = location in ("path", "cookie") and types.is_list(annotation)
        if one or (location in ("path", "header", "cookie") and types.is_body(annotation)):
            raise TypeError(f"{where} comes from the {location}, which is text, and cannot be {annotation}")
        try:
            unknown = types.unknown_type(annotation)
        except (TypeError, NameError) as error:
            raise TypeError(f"{where} cannot be read from a request: {error}") from None
        if unknown:
            raise TypeError(
                f"{where} cannot be read from a request: {unknown.__qualname__} is no type that msgspec knows"
            )
        file = marker if isinstance(marker, File) and marker.limits else None
        return self._once(where, Parameter(location, wire, annotation, default, whole, file))

    def _once(self, where: str, parameter: Parameter) -> Parameter:
        """What two functions ask for alike is read once; two bodies, or two types for a name, are a mistake."""
        known = self._parameters.setdefault(_key(parameter), [])
        if parameter in known:
            return known[known.index(parameter)]
        if not all(_agree(each, parameter) for each in known):
            raise TypeError(f"{where}: {parameter.location} {parameter.name} is asked for twice, as different types")
        known.append(parameter)
        self.found.parameters.append(parameter)
        return parameter

    def _provider(self, function: Handler) -> Provider:
        function = self.overrides.get(function, function)
        if function in self._providers:
            if (provider := self._providers[function]).function is _UNFINISHED:
                raise TypeError(f"{self.where}: {_name(function)} depends on itself")
            return provider
        provider = self._providers[function] = Provider(_UNFINISHED, _mode(function), {})
        if not callable(function):
            raise TypeError(f"{self.where}: Depends({function!r}): not a function")
        provider.arguments = self._arguments(function)
        provider.function = function
        self.found.providers.append(provider)
        return provider


def _UNFINISHED() -> None:
    """Stands for a provider whose own dependencies are being read."""


def _mode(function: Handler) -> Mode:
    if inspect.isasyncgenfunction(function):
        return "async generator"
    if inspect.isgeneratorfunction(function):
        return "generator"
    return "await" if inspect.iscoroutinefunction(function) else "call"


def _name(function: Handler) -> str:
    return getattr(function, "__qualname__", repr(function))
