"""Server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """One event. `id` is the last one that the stream gave, `retry` in milliseconds."""

    data: str
    event: str = "message"
    id: str = ""
    retry: int | None = None

    def json(self) -> object:
        """The data as JSON."""
        return json.loads(self.data)


def parse(lines: Iterable[bytes]) -> Iterator[Event]:
    """The events of a stream, each as soon as its empty line is there."""
    data: list[str] = []
    event, last_id, retry = "", "", None
    for raw in lines:
        line = raw.decode(errors="replace").rstrip("\r\n")
        if not line:
            if data:
                yield Event("\n".join(data), event or "message", last_id, retry)
            data, event, retry = [], "", None
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            data.append(value)
        elif name == "event":
            event = value
        elif name == "id" and "\0" not in value:
            last_id = value
        elif name == "retry" and value.isascii() and value.isdigit():
            retry = int(value)
