"""What a handler may return besides plain values."""

from collections.abc import AsyncIterable, Awaitable, Callable, Iterable
from typing import Any, overload
from weakref import WeakSet

import msgspec

from django_rivet.api.errors import Headers, fields_of

type Chunks = AsyncIterable[bytes | str] | Iterable[bytes | str]


class Response[T]:
    """A value with a status and header fields of its own: `Response(item, status=201, headers={"Location": url})`.

    value: whatever a handler may return; None: no body. status: None is the route's own.
    """

    __slots__ = ("headers", "status", "value")

    @overload
    def __init__(
        self: "Response[None]", value: None = None, *, status: int | None = None, headers: Headers = ()
    ) -> None:
        """Without a body."""

    @overload
    def __init__(self, value: T, *, status: int | None = None, headers: Headers = ()) -> None:
        """With one."""

    def __init__(self, value: Any = None, *, status: int | None = None, headers: Headers = ()) -> None:
        self.value = value
        self.status = status
        self.headers = fields_of(headers)


class Stream:
    """An answer that is sent while it is made.

    chunks: bytes or str (UTF-8), from an async iterator, which runs on the loop, or from another one, which runs on a
    thread. It is asked for the next one only when the client keeps up. An error after the first chunk cuts the
    connection, so that the client sees it.
    """

    __slots__ = ("chunks", "headers", "status")

    def __init__(
        self,
        chunks: Chunks,
        *,
        content_type: str = "application/octet-stream",
        status: int | None = None,
        headers: Headers = (),
    ) -> None:
        self.chunks = chunks
        self.status = status
        self.headers = [("Content-Type", content_type), *fields_of(headers)]


class ServerSentEvent:
    """One event: https://html.spec.whatwg.org/multipage/server-sent-events.html

    data: str as it is, anything else as JSON; None: no data. event: its type. id: what a client that comes back sends
    as Last-Event-ID. retry: seconds until then. comment: for nobody.

    Raises ValueError for an event, id or comment with a line break.
    """

    __slots__ = ("comment", "data", "event", "id", "retry")

    def __init__(
        self,
        data: Any = None,
        *,
        event: str | None = None,
        id: str | int | None = None,
        retry: float | None = None,
        comment: str | None = None,
    ) -> None:
        id = None if id is None else str(id)
        for name, value in (("event", event), ("id", id), ("comment", comment)):
            if value is not None and ("\n" in value or "\r" in value or "\0" in value):
                raise ValueError(f"{name} of an event must be one line, not {value!r}")
        self.data = data
        self.event = event
        self.id = id
        self.retry = retry
        self.comment = comment

    def __bytes__(self) -> bytes:
        lines = [] if self.comment is None else [f": {self.comment}"]
        lines += [f"{name}: {value}" for name in ("event", "id") if (value := getattr(self, name)) is not None]
        if self.retry is not None:
            lines.append(f"retry: {round(self.retry * 1000)}")
        if self.data is not None:
            text = self.data if isinstance(self.data, str) else msgspec.json.encode(self.data).decode()
            # The format's three line ends; str.splitlines knows more.
            lines += [f"data: {line}" for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
        return ("\n".join(lines) + "\n\n").encode()


class EventStream:
    """Server-sent events.

    events: ServerSentEvent, or the data of one, from an async iterator or another one (see `Stream`). ping: after so
    many seconds without an event a comment is sent, so that proxies keep the connection and a lost client is noticed;
    0: never.
    """

    __slots__ = ("events", "headers", "ping")

    def __init__(
        self, events: AsyncIterable[Any] | Iterable[Any], *, ping: float = 15.0, headers: Headers = ()
    ) -> None:
        self.events = events
        self.ping = ping
        # X-Accel-Buffering: nginx would keep events back.
        self.headers = [
            ("Content-Type", "text/event-stream"),
            ("Cache-Control", "no-store"),
            ("X-Accel-Buffering", "no"),
            *fields_of(headers),
        ]


# Work that has been promised, or is being done: a server that stops waits for it. What a failed handler had added goes
# with its last reference.
unfinished: WeakSet["Background"] = WeakSet()


class Background:
    """Work after the answer: a handler's parameter with this annotation.

    A server that is told to stop waits for it, within `--graceful-timeout`; with a process that dies it ends: what must
    not be lost belongs into a queue. An exception is logged; the rest still runs.
    """

    __slots__ = ("__weakref__", "tasks")

    def __init__(self) -> None:
        self.tasks: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]] = []

    def add[**P](self, task: Callable[P, Awaitable[object] | object], *args: P.args, **kwargs: P.kwargs) -> None:
        """Calls it after the answer, in the order of `add`: `async def` on the loop, `def` on a thread."""
        self.tasks.append((task, args, kwargs))
        unfinished.add(self)
