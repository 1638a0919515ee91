"""Reads the signatures of a handler and of the providers it depends on."""

import functools
import inspect
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from django_rivet._core import Request, WebSocket
from django_rivet.api import types
from django_rivet.api.joining import agree, key
from django_rivet.api.markers import Depends, Marker
from django_rivet.api.overrides import Overrides
from django_rivet.api.parameters import parameter
from django_rivet.api.responses import Background
from django_rivet.api.route import REQUIRED, Handler, Parameter
from django_rivet.api.signature import Argument, Mode, Provider, Signature


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
        locations = {each.location for each in self.found.parameters}
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
        given = function.keywords if isinstance(function, functools.partial) else ()
        arguments: dict[str, Argument] = {}
        for place, (name, each) in enumerate(inspect.signature(function).parameters.items()):
            if each.kind in (each.VAR_POSITIONAL, each.VAR_KEYWORD) or name in given:
                continue
            if isinstance(each.default, Marker | Depends):
                raise TypeError(
                    f"{self.where}: {_name(function)}: a default is the value itself; where {name!r} comes from stands "
                    f"in its annotation: {name}: Annotated[..., {type(each.default).__name__}(...)]"
                )
            if self._is_sender(function, place, name, hints.get(name)):
                arguments[name] = Request
            elif name in hints or name in self.path:
                annotation = hints.get(name, str)
                arguments[name] = self._argument(name, annotation, each.default)
            elif each.default is REQUIRED:
                raise TypeError(
                    f"{self.where}: {_name(function)}{inspect.signature(function)} does not fit the path: missing a "
                    f"required argument: {name!r}; with an annotation it is read from the request"
                )
            else:
                raise TypeError(
                    f"{self.where}: {_name(function)}: {name!r} has a default and no annotation: with one it is read "
                    "from the request"
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
            return self._provider(annotation if marker.provider is None else marker.provider)
        if annotation is Background:
            if self.found.socket:
                raise TypeError(f"{self.where}: {name}: Background is work after an answer, and a WebSocket gets none")
            self.found.background = True
            return Background
        return self._parameter(name, annotation, marker, default)

    def _parameter(self, name: str, annotation: Any, marker: Marker | None, default: Any) -> Parameter:
        where = f"{self.where}: the parameter {name!r}"
        found = parameter(where, name, annotation, marker, default, self.path)
        if self.found.socket and found.location in ("body", "form", "file"):
            raise TypeError(
                f"{where} comes from the {found.location}, and a WebSocket's handshake has none; "
                "Query() takes it from the query"
            )
        return self._once(where, found)

    def _once(self, where: str, asked: Parameter) -> Parameter:
        """What two functions ask for alike is read once; two bodies, or two types for a name, are a mistake."""
        known = self._parameters.setdefault(key(asked), [])
        if asked in known:
            return known[known.index(asked)]
        if not all(agree(each, asked) for each in known):
            if asked.location == "body":
                raise TypeError(f"{where}: there is one JSON body: put what is in it into one Struct")
            raise TypeError(f"{where}: {asked.location} {asked.name} is asked for twice, as different types")
        known.append(asked)
        self.found.parameters.append(asked)
        return asked

    def _provider(self, function: Handler) -> Provider:
        function = self.overrides.get(function, function)
        if function in self._providers:
            if (provider := self._providers[function]).function is _UNFINISHED:
                raise TypeError(f"{self.where}: {_name(function)} depends on itself")
            return provider
        provider = self._providers[function] = Provider(_UNFINISHED, _mode(function), {})
        if not callable(function):
            raise TypeError(f"{self.where}: Depends({function!r}): neither a function nor a class")
        provider.arguments = self._arguments(function)
        provider.function = function
        self.found.providers.append(provider)
        return provider


def _UNFINISHED() -> None:
    """Stands for a provider whose own dependencies are being read."""


def _mode(function: Handler) -> Mode:
    if not (inspect.isroutine(function) or inspect.isclass(function) or isinstance(function, functools.partial)):
        function = type(function).__call__  # of an object that is called like a function
    if inspect.isasyncgenfunction(function):
        return "async generator"
    if inspect.isgeneratorfunction(function):
        return "generator"
    return "await" if inspect.iscoroutinefunction(function) else "call"


def _name(function: Handler) -> str:
    return getattr(function, "__qualname__", repr(function))
