"""The native routes by path, looked up as the engine does (`src/engine/routes.rs`)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from django_rivet.api.paths import PARAMETER
from django_rivet.api.route import Route

WEBSOCKET = "WEBSOCKET"


class Entry:
    """What one path answers to, by method. Routes of one path may name its parameters as they like."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.segments = path.split("/")[1:]
        self.routes: dict[str, Route] = {}

    @property
    def websocket(self) -> Route | None:
        """Who takes WebSockets there."""
        return self.routes.get(WEBSOCKET)

    def route(self, method: str) -> Route | None:
        """Who answers the method; HEAD is answered as GET (RFC 9110 9.3.2)."""
        return self.routes.get(method) or (self.routes.get("GET") if method == "HEAD" else None)

    def allow(self) -> str:
        """The value of Allow (RFC 9110 10.2.1)."""
        names = [name for name in self.routes if name != WEBSOCKET]
        if "GET" in names and "HEAD" not in names:
            names.append("HEAD")
        if "OPTIONS" not in names:
            names.append("OPTIONS")
        return ", ".join(names)

    def values(self, raw: Sequence[bytes]) -> list[str] | None:
        """What stands where the path has parameters, in the segments of a path as it was sent.

        None: they are not this path's, or a value is no UTF-8.
        """
        if len(raw) != len(self.segments):
            return None
        values = []
        for segment, sent in zip(self.segments, raw, strict=True):
            if not PARAMETER.fullmatch(segment):
                if segment.encode() != sent:
                    return None
                continue
            try:
                value = unquote_to_bytes(sent).decode()
            except UnicodeDecodeError:
                return None
            if not value:
                return None
            values.append(value)
        return values

    @property
    def order(self) -> tuple[bool, ...]:
        """Sorts what is fixed before what is not, segment by segment."""
        return tuple(bool(PARAMETER.fullmatch(segment)) for segment in self.segments)


class Call(NamedTuple):
    """A route and the values for its parameters."""

    route: Route
    parameters: Mapping[str, str]


def call(route: Route, values: Iterable[str]) -> Call:
    """Gives the values the names that this route has for them."""
    return Call(route, dict(zip(PARAMETER.findall(route.path), values, strict=True)))


def entries(routes: Iterable[Route]) -> list[Entry]:
    """One entry for each path, those first that are more exact."""
    found: dict[str, Entry] = {}
    for route in routes:
        found.setdefault(route.key[1], Entry(route.path)).routes.setdefault(route.method, route)
    return sorted(found.values(), key=lambda entry: entry.order)


def find(table: Iterable[Entry], raw_path: bytes) -> tuple[Entry, list[str]] | None:
    """The entry of a path as it was sent, and the values in it."""
    raw, decoded = raw_path.split(b"/")[1:], unquote_to_bytes(raw_path)
    for entry in table:
        if not any(entry.order) and entry.path.encode() == decoded:
            return entry, []
        if (values := entry.values(raw)) is not None:
            return entry, values
    return None
