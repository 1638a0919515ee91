"""What the engine reads from bytes, over its parser alone and over a connection; both must agree."""

from dataclasses import dataclass
from typing import Any

from django_rivet._core import parse_requests
from wire import talk


@dataclass
class Reading:
    """The requests that are served, and then: a status, that more must come, or nothing."""

    requests: list[dict[str, Any]]
    refused: int | None
    incomplete: bool

    @property
    def bodies(self) -> list[tuple[bytes, bytes, bytes]]:
        return [(request["method"], request["target"], request["body"]) for request in self.requests]


def read(data: bytes, limits: dict[str, int] | None = None) -> Reading:
    requests = parse_requests(data, limits)
    last = requests[-1] if requests else {}
    refused, incomplete = last.get("error"), "incomplete" in last
    if refused or incomplete:
        requests.pop()
    return Reading(requests, refused, incomplete)


def serve(port: int, data: bytes) -> None:
    """Asserts that a running server does with these bytes what `read` says: each request seen as it was parsed, then
    one refusal and the end of the connection, or the end when the client ends first."""
    reading = read(data)
    head = any(request["method"] == b"HEAD" for request in reading.requests)
    closes = bool(reading.refused) or reading.incomplete or not all(r["keep_alive"] for r in reading.requests)
    wanted = 0 if closes or not reading.requests else len(reading.requests)
    answers = talk(port, data, answers=wanted, head=head, end=reading.incomplete or not reading.requests)
    served = [answer for answer in answers if answer.status == 200]
    assert len(served) == len(reading.requests), answers
    for request, answer in zip(reading.requests, served, strict=True):
        if not head:
            assert answer.echo["method"].encode() == request["method"]
            assert answer.echo["path"].encode("latin-1") == request["path"]
            assert answer.echo["query"].encode("latin-1") == (request["query"] or b"")
            assert answer.echo["version"] == request["version"]
            assert answer.echo["body"].encode("latin-1") == request["body"]
            headers = [[name.decode("latin-1").lower(), value.decode("latin-1")] for name, value in request["headers"]]
            assert answer.echo["headers"] == headers
            # In META, X_Forwarded_For could not be told from X-Forwarded-For.
            dashed = {"HTTP_" + name.upper().replace("-", "_") for name, _ in headers if "_" not in name}
            assert {name for name in answer.echo["meta"] if name.startswith("HTTP_")} <= dashed
    others = [answer.status for answer in answers if answer.status != 200]
    if reading.refused:
        assert others == [reading.refused]
    else:
        assert all(400 <= status < 500 for status in others), others
