"""The options of the server: one table, read in the order flag, environment, Django setting, default.

An option `max_body` is the flag `--max-body`, and as environment variable and as Django setting `RIVET_MAX_BODY`.
Durations are in seconds, sizes in bytes. An empty environment variable counts as not set: Compose passes such.
"""

import dataclasses
import difflib
import os
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

from django_rivet.kinds import (
    Kind,
    address,
    coding_list,
    duration,
    mode,
    one_of,
    or_off,
    origin_list,
    path,
    path_list,
    proxy_list,
    size,
    switch,
    text,
    whole,
)


class Invalid(ValueError):
    """An option has a value that it cannot take; the message says where it was set and what to write."""


def cpus() -> int:
    """The CPUs that this process may run on (not those that the machine has)."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def default_workers() -> int:
    """Threads for blocking code: more than the CPUs, as they wait for databases; few, as each keeps connections."""
    return min(8, 2 * cpus() + 2)


def _option(
    kind: Kind, default: Any, help: str, *, engine: bool = True, shown: str | None = None, section: str = ""
) -> Any:
    """A row of the table: `engine` options go to the Reactor, `shown` replaces the default in texts, `section` begins
    a section of the reference.
    """
    metadata = {"kind": kind, "help": help, "engine": engine, "shown": shown, "section": section}
    if callable(default):
        return dataclasses.field(default_factory=default, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


MIB = 1 << 20
DAY = 86_400


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The table. The settings reference is made from it: reference.py."""

    host: str = _option(
        text(),
        "127.0.0.1",
        "The address or host name to listen on; `::` is every address of the machine, IPv6 and IPv4.",
        engine=False,
        section="Where it listens",
    )
    port: int = _option(whole(0, 65_535), 8000, "The TCP port to listen on; 0 takes a free one.", engine=False)
    uds: str = _option(
        text(), "", "The path of a Unix socket to listen on instead of host and port.", engine=False, shown="none"
    )
    uds_mode: str = _option(
        mode(),
        "666",
        "Who may connect to the Unix socket, as chmod has it: 660 is its owner and group.",
        engine=False,
    )
    backlog: int = _option(
        whole(1, 65_535),
        2048,
        "Connections that the kernel may keep waiting until they are accepted, for each process.",
        engine=False,
    )
    processes: int = _option(
        whole(1, 512),
        1,
        "Operating system processes; a parent starts them and replaces those that die.",
        engine=False,
        section="Processes and threads",
    )
    workers: int = _option(
        whole(1, 512),
        default_workers,
        "Threads of each process for blocking code (Django's sync views).",
        engine=False,
        shown="2 per CPU and 2, at most 8",
    )
    supervise: bool = _option(
        switch(),
        False,
        "Have a parent for one process too: it replaces the process when it dies, and on SIGHUP without a lost request.",
        engine=False,
        shown="on where systemd or another option wants a parent",
    )
    max_requests: int = _option(
        whole(0, 1 << 40), 0, "Requests until a process is replaced by a new one; 0: any number.", engine=False
    )
    max_requests_jitter: int = _option(
        whole(0, 1 << 40), 0, "Up to so many requests more, by chance, so that processes differ.", engine=False
    )
    max_rss: int = _option(
        size(0, 1 << 50), 0, "Bytes of memory (RSS) until a process is replaced by a new one; 0: any.", engine=False
    )
    lifetime: float = _option(
        duration(0, 366 * DAY),
        0.0,
        "How long a process serves until it is replaced by a new one; 0: for ever.",
        engine=False,
    )
    lifetime_jitter: float = _option(
        duration(0, 366 * DAY), 0.0, "Up to so much longer, by chance, so that processes differ.", engine=False
    )
    reload: bool = _option(
        switch(),
        False,
        "For development: start anew when a file of the project changes; an error waits for the next change.",
        engine=False,
    )
    inline: Literal["learn", "always", "never"] = _option(
        one_of("learn", "always", "never"),
        "learn",
        "May blocking code run on the I/O thread: where it has proved to be quick, always, or never.",
    )
    keep_alive: float = _option(
        duration(1, DAY),
        75.0,
        "How long an idle connection is kept; longer than the proxy in front keeps it.",
        section="Time",
    )
    header_timeout: float = _option(
        duration(0.1, DAY), 10.0, "How long the head of a request may take, from its first byte to its last."
    )
    body_timeout: float = _option(duration(0.1, DAY), 30.0, "How long a body may make no progress.")
    write_timeout: float = _option(duration(0.1, DAY), 30.0, "How long a client may take nothing of its answer.")
    queue_timeout: float = _option(
        duration(0.01, DAY),
        5.0,
        "How long a request may wait for a free thread until it is answered with 503.",
        engine=False,
    )
    drain_delay: float = _option(
        duration(0, DAY),
        0.0,
        "How long to go on accepting connections after SIGTERM, for a proxy that must first hear of it.",
        engine=False,
    )
    graceful_timeout: float = _option(
        duration(0, DAY), 30.0, "How long requests may take to end after SIGTERM until they are cut.", engine=False
    )
    hang_timeout: float = _option(
        duration(0, DAY),
        60.0,
        "How long the I/O thread may make no turn until its process is killed, its stacks shown; 0: for ever.",
        engine=False,
    )
    max_connections: int = _option(
        whole(1, 1_000_000),
        10_000,
        "Open connections of each process; more are closed with 503, unless they ask for the health path.",
        section="Size and number",
    )
    max_in_flight: int = _option(
        whole(1, 1_000_000),
        1000,
        "Requests of each process that are being answered or wait for a thread; more get 503.",
    )
    max_head: int = _option(size(1024, MIB), 65_536, "Bytes of a request's head: request line and fields.")
    max_fields: int = _option(whole(1, 1000), 100, "Fields of a request's head.")
    max_target: int = _option(size(64, MIB), 8192, "Bytes of a request's target: path and query.")
    max_body: int = _option(size(0, 1 << 40), 100 * MIB, "Bytes of a request's body; a larger one gets 413.")
    spool: int = _option(
        size(0, 1 << 40),
        MIB,
        "Bytes of a body that are kept in memory; a larger body goes to a temporary file, and so does each that comes"
        " while 64 times as many are kept for others.",
    )
    high_water: int = _option(
        size(4096, 1 << 30),
        256 << 10,
        "Bytes of answers that may wait for one client until the view that writes them waits too.",
    )
    ws_max_message: int = _option(
        size(1, 1 << 30),
        16 * MIB,
        "Bytes of a WebSocket message; a larger one closes the connection with 1009.",
        section="WebSockets",
    )
    ws_memory: int = _option(
        size(1, 1 << 40),
        64 * MIB,
        "Bytes that each process keeps of WebSocket messages: of those that came in part, and of those that no handler"
        " has taken yet. Above it, who holds the most is closed with 1013.",
    )
    ws_ping: float = _option(duration(1, DAY), 20.0, "How long a WebSocket may be silent until it is pinged.")
    ws_ping_timeout: float = _option(
        duration(1, DAY), 20.0, "How long the answer to a ping may take until the connection is closed."
    )
    ws_deflate: bool = _option(
        switch(), True, "Compress WebSocket messages when the client offers it (permessage-deflate)."
    )
    ws_rate: int = _option(
        whole(0, 1_000_000), 0, "Messages a second that one WebSocket may send for long; 0: any number."
    )
    ws_origins: str = _option(
        origin_list(),
        "",
        "Origins whose pages may open WebSockets, such as https://*.example.com; `*`: any.",
        engine=False,
        shown="ALLOWED_HOSTS and CSRF_TRUSTED_ORIGINS",
    )
    compression: str = _option(
        or_off(coding_list()),
        "off",
        "In which codings answers are compressed.",
        section="Compression and static files",
    )
    compression_min: int = _option(size(0, 1 << 30), 500, "Bytes that an answer must have to be compressed.")
    static: bool = _option(switch(), False, "Serve STATIC_URL from STATIC_ROOT, without Python.", engine=False)
    static_cache: int = _option(size(0, 1 << 40), 32 * MIB, "Bytes of small static files that are kept in memory.")
    trusted_proxies: str = _option(
        proxy_list(),
        "",
        "Proxies whose X-Forwarded-* fields are believed; `*`: whoever connects.",
        shown="none",
        section="Proxies, logs and metrics",
    )
    access_log: str = _option(
        one_of("off", "combined", "json"), "combined", "The form of the access log on standard output."
    )
    access_log_skip: str = _option(
        path_list(),
        "",
        "Paths of which the access log has errors only (status 400 and above), such as /health/live.",
        shown="none",
    )
    health_path: str = _option(
        path(), "/health/live", "The path that is answered with 200 even while every view is stuck."
    )
    metrics: str = _option(
        address(),
        "",
        "Where Prometheus reads metrics, at /metrics; never the address that is published.",
        engine=False,
    )


class Row(NamedTuple):
    """An option as texts need it."""

    name: str
    kind: Kind
    default: str
    help: str
    section: str

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        return "RIVET_" + self.name.upper()

    def __str__(self) -> str:
        """For messages that do not know where it was set."""
        return f"{self.flag} ({self.variable})"


def rows() -> Iterator[Row]:
    """The table, row by row."""
    defaults = Options()
    section = ""
    for field in dataclasses.fields(Options):
        kind: Kind = field.metadata["kind"]
        shown = field.metadata["shown"] or kind.show(getattr(defaults, field.name))
        section = field.metadata["section"] or section
        yield Row(field.name, kind, shown, field.metadata["help"], section)


def row(name: str) -> Row:
    """The row of one option."""
    return next(each for each in rows() if each.name == name)


class Given(NamedTuple):
    """An option that somebody set: where, and to what."""

    row: Row
    source: str
    value: object


def given(flags: Mapping[str, object]) -> Iterator[Given]:
    """The options that are not left at their defaults, with what was written, not yet read."""
    from django.conf import settings

    for row in rows():
        sources: tuple[tuple[str, object], ...] = (
            (row.flag, flags.get(row.name)),
            (row.variable, os.environ.get(row.variable) or None),
            (f"{row.variable} of the Django settings", getattr(settings, row.variable, None)),
        )
        for source, value in sources:
            if value is not None:
                yield Given(row, source, value)
                break


def unknown() -> Iterator[str]:
    """What is said of variables and settings that are called like options, and are none: they have no effect."""
    from django.conf import settings

    prefix = "RIVET_"
    known = [row.variable.removeprefix(prefix) for row in rows()]
    for place, names in (("the environment", os.environ), ("the Django settings", dir(settings))):
        for name in sorted(each.removeprefix(prefix) for each in names if each.startswith(prefix)):
            if name not in known:
                meant = difflib.get_close_matches(name, known, 1, cutoff=0.8)
                hint = f": do you mean {prefix}{meant[0]}?" if meant else "."
                yield f"{prefix}{name} in {place} is no option{hint}"


def read(flags: Mapping[str, object] | None = None) -> Options:
    """The options that hold: `flags` (None: not given) before the environment, Django's settings and the defaults.

    Raises Invalid for a value that an option cannot take.
    """
    values: dict[str, Any] = {
        each.row.name: _parse(each.source, each.row.kind, each.value) for each in given(flags or {})
    }
    return Options(**values)


def _parse(source: str, kind: Kind, value: object) -> object:
    try:
        return kind.parse(value)
    except (ValueError, TypeError):
        raise Invalid(f"{source} is {value!r}: write {kind.wanted}.") from None


_current: Options | None = None


def use(options: Options) -> None:
    """Makes these the options of this process."""
    global _current
    _current = options


def options() -> Options:
    """The options of this process: those of `use`, else those that the environment and Django's settings give."""
    return _current or read()


def engine_options(chosen: Options | None = None) -> dict[str, object]:
    """What the Reactor is made with."""
    chosen = chosen or options()
    return {
        field.name: getattr(chosen, field.name) for field in dataclasses.fields(Options) if field.metadata["engine"]
    }
