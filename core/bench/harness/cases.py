"""The cases and their bars: what is sent to which servers, what is compared, what must be reached, what is aimed at."""

from dataclasses import dataclass, field
from typing import Literal

Metric = Literal["rate", "work", "p99", "cpu", "memory"]
# `rate`: requests a second; `work`: requests a CPU second; the others are costs: the less the better.
COSTS = ("p99", "cpu", "memory")


@dataclass(frozen=True)
class Http:
    """Requests for `path`, and by `mix` for others (per cent). `rate`: that many a second, else a closed loop.

    `body`: JSON, which makes it a POST.
    """

    path: str
    depth: int = 1
    connections: int = 50
    headers: Literal["plain", "browser", "asset", "cached"] = "plain"
    status: int = 200
    rate: int = 0
    mix: dict[str, int] = field(default_factory=dict)
    body: str = ""


@dataclass(frozen=True)
class Sockets:
    """WebSockets: each one echoes, or the first one's texts go to all, `depth` in flight, or they are idle."""

    kind: Literal["echo", "broadcast", "idle"]
    connections: int
    depth: int = 1


@dataclass(frozen=True)
class Memory:
    """Resident memory of the process, after these paths were asked for a while."""

    paths: tuple[str, ...]


@dataclass(frozen=True)
class Bar:
    """Rivet's figure divided by the peer's. `must` and `aim` are lower bounds, for costs upper ones; None: no bound."""

    peer: str
    metric: Metric
    must: float | None = None
    aim: float | None = None


@dataclass(frozen=True)
class Case:
    """`where`: `half` a core, so that the server is always the limit, the `full` core, or `wide`: all others."""

    name: str
    title: str
    load: Http | Sockets | Memory
    rivet: str
    bars: tuple[Bar, ...]
    where: Literal["half", "full", "wide"] = "half"
    seconds: float = 1  # times as long as others
    postgres: bool = False

    @property
    def servers(self) -> list[str]:
        return list(dict.fromkeys([self.rivet, *(bar.peer for bar in self.bars)]))


SLOW = {f"/django/{kind}/{milliseconds}": 1 for kind in ("burn", "wait") for milliseconds in (5, 15, 25, 35, 50)}
MIXED = Http("/json", rate=300, connections=128, mix=SLOW)
MANY = "rivet-many-sockets"
ORDER = '{"title":"Emma","price":9.5,"count":2,"tags":["new","sale"]}'
API = (Bar("bolt", "rate", 1.2, 1.5), Bar("fastapi", "rate", 5))

# A table, a case in two or three lines.
# fmt: off
CASES = [
    Case("native-async", "native async handler, 26 B of JSON", Http("/json"), "rivet", (
        Bar("bolt", "rate", 1.15, 1.25), Bar("nginx", "rate", 0.95, 1.0))),
    Case("native-sync", "native sync handler", Http("/json-sync"), "rivet", (
        Bar("bolt", "rate", 1.1, 1.25), Bar("nginx", "rate", 0.95, 1.0))),
    Case("pipelined-async", "native async handler, 16 pipelined", Http("/json", depth=16), "rivet", (
        Bar("bolt", "rate", 2, 3),)),
    Case("pipelined-sync", "native sync handler, 16 pipelined", Http("/json-sync", depth=16), "rivet", (
        Bar("bolt", "rate", 2, 3),)),
    Case("browser-async", "native async handler, a browser's 30 headers", Http("/json", headers="browser"),
         "rivet-compressing", (Bar("bolt", "rate", 1.2, 1.4),)),
    Case("browser-sync", "native sync handler, a browser's 30 headers", Http("/json-sync", headers="browser"),
         "rivet-compressing", (Bar("bolt", "rate", 1.2, 1.4),)),
    Case("suspending", "native handler that suspends", Http("/suspend"), "rivet", (
        Bar("bolt", "rate", 1.25, 1.5),)),
    Case("api-typed", "typed path and query", Http("/typed/7?q=word&limit=5"), "rivet", API),
    Case("api-body", "JSON body, checked", Http("/orders", body=ORDER), "rivet", API),
    Case("api-large", "10 KB of JSON", Http("/large"), "rivet", API),
    Case("api-orm", "10 rows, PostgreSQL, native sync handler", Http("/items"), "rivet-postgres", (
        Bar("bolt-postgres", "work", 1.2, 1.5), Bar("fastapi-sqlmodel", "work", 5), Bar("fastapi-postgres", "work")),
        where="full", postgres=True),
    Case("django-sync", "Django sync view, seven middlewares", Http("/django/sync"), "rivet", (
        Bar("granian", "rate", 1.4, 1.8), Bar("granian", "p99", 0.5), Bar("gunicorn", "rate"), Bar("uvicorn", "rate")),
        where="full"),
    Case("django-async", "Django async view, seven middlewares", Http("/django/async"), "rivet", (
        Bar("granian", "rate", 5, 8), Bar("uvicorn", "rate", 15)), where="full"),
    Case("orm-sync", "ORM view, 10 rows, PostgreSQL, sync", Http("/django/items"), "rivet-postgres", (
        Bar("granian-postgres", "work", 1.2, 1.4),), where="full", postgres=True),
    Case("orm-async", "ORM view, 10 rows, PostgreSQL, async", Http("/django/aitems"), "rivet-postgres", (
        Bar("granian-postgres", "work", 3, 4),), where="full", postgres=True),
    Case("mixed", "native answers beside 10 % Django views of 5-50 ms", MIXED, "rivet", (
        Bar("granian-mixed", "p99", 0.5, 0.2), Bar("bolt", "p99", 0.5, 0.2)), where="full", seconds=4),
    Case("websocket-echo", "WebSocket echo, 64 B, 50 connections", Sockets("echo", 50), "rivet", (
        Bar("uvicorn-websocket", "rate", 1.3, 2), Bar("granian-websocket", "rate"), Bar("bolt", "rate"))),
    Case("websocket-broadcast", "WebSocket broadcast to 1,000, one at a time", Sockets("broadcast", 1000), "rivet", (
        Bar("uvicorn-websocket", "rate", 2, 4),)),
    Case("websocket-broadcast-16", "WebSocket broadcast to 1,000, 16 at a time", Sockets("broadcast", 1000, 16),
         "rivet", (Bar("uvicorn-websocket", "rate", 2, 4),)),
    Case("websocket-idle-2000", "2,000 idle WebSockets, KiB each", Sockets("idle", 2000), MANY, (
        Bar("uvicorn-websocket", "memory", 0.6, 0.43),), where="full"),
    Case("websocket-idle-10000", "10,000 idle WebSockets, KiB each", Sockets("idle", 10_000), MANY, (
        Bar("uvicorn-websocket", "memory", 0.6, 0.43),), where="full"),
    Case("static-1k", "static file, 1 KB", Http("/static/1k.css", headers="asset"), "rivet-static", (
        Bar("nginx-static", "rate", 0.7, 0.9),)),
    Case("static-100k", "static file, 100 KB", Http("/static/100k.css", headers="asset"), "rivet-static", (
        Bar("nginx-static", "rate", 0.7, 0.9),)),
    Case("static-cached", "static file, not modified", Http("/static/100k.css", headers="cached", status=304),
         "rivet-static", (Bar("nginx-static", "rate", 0.7, 0.9),)),
    Case("memory", "resident memory of the serving process, MiB", Memory(("/json", "/json-sync", "/items")), "rivet", (
        Bar("bolt", "memory", 1.0),), where="full"),
    Case("whole-json", "nginx + web, JSON of a Django view: CPU of both", Http("/django/sync"), "nginx-rivet", (
        Bar("nginx-granian", "cpu", 0.8, 0.6), Bar("nginx-uvicorn", "cpu", 0.5)), where="full"),
    Case("whole-page", "nginx + web, Django page: CPU of both", Http("/django/page"), "nginx-rivet", (
        Bar("nginx-granian", "cpu", 0.8, 0.6), Bar("nginx-uvicorn", "cpu", 0.5)), where="full"),
    Case("whole-native", "nginx + web, native handler (peers: no framework): CPU of both", Http("/json"),
         "nginx-rivet", (Bar("nginx-granian-raw", "cpu"), Bar("nginx-uvicorn-raw", "cpu")), where="full"),
    Case("two-processes", "two processes on one core", Http("/json"), "rivet-2", (
        Bar("rivet", "cpu", 1.1),), where="full"),
    Case("other-frameworks", "26 B of JSON", Http("/json"), "rivet", (
        Bar("granian-raw", "rate"), Bar("uvicorn-raw", "rate"), Bar("robyn", "rate"), Bar("fastapi", "rate"))),
    Case("orm-sqlite", "10 rows of SQLite, native sync handler (granian: view)", Http("/items"), "rivet", (
        Bar("bolt", "work"), Bar("granian", "work")), where="full"),
    Case("processes-1", "1 process", Http("/json"), "rivet", (Bar("bolt", "cpu"), Bar("bolt", "rate")), where="wide"),
    Case("processes-2", "2 processes", Http("/json"), "rivet-2", (
        Bar("bolt-2", "cpu"), Bar("bolt-2", "rate")), where="wide"),
    Case("processes-4", "4 processes", Http("/json"), "rivet-4", (
        Bar("bolt-4", "cpu"), Bar("bolt-4", "rate")), where="wide"),
]
