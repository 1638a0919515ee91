"""What other parsers read from bytes: the strict ones that we are measured against."""

from dataclasses import dataclass, field

import h11 as _h11
from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

type Read = tuple[bytes, bytes, bytes]


@dataclass
class Verdict:
    """Method, target and body of each request that was read whole, and whether the parser refused what came then."""

    requests: list[Read] = field(default_factory=list)
    refused: bool = False
    # The parser went no further, by its rules: an upgrade, a connection that closes.
    stopped: bool = False


class _Listener:
    """httptools' callbacks."""

    def __init__(self) -> None:
        self.verdict = Verdict()
        self.parser = HttpRequestParser(self)

    def on_message_begin(self) -> None:
        self.target, self.body = b"", b""

    def on_url(self, url: bytes) -> None:
        self.target += url

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.verdict.requests.append((self.parser.get_method(), self.target, self.body))


def httptools(data: bytes) -> Verdict:
    listener = _Listener()
    verdict = listener.verdict
    try:
        listener.parser.feed_data(data)
    except HttpParserUpgrade:
        verdict.stopped = True
    except HttpParserError:
        verdict.refused = True
    return verdict


def h11(data: bytes) -> Verdict:
    """A connection for each request, so that h11's rules about answers and keep-alive do not matter."""
    verdict = Verdict()
    while data:
        # RFC 9112 section 2.2: one empty line may come first. h11 leaves that to its caller.
        connection = _h11.Connection(_h11.SERVER, max_incomplete_event_size=1 << 20)
        connection.receive_data(data.removeprefix(b"\r\n"))
        try:
            request = _one(connection)
        except _h11.RemoteProtocolError:
            verdict.refused = True
            return verdict
        if request is None:
            return verdict
        verdict.requests.append(request)
        data, _ = connection.trailing_data
    return verdict


def _one(connection: _h11.Connection) -> Read | None:
    request = connection.next_event()
    if not isinstance(request, _h11.Request):
        return None
    body = b""
    while isinstance(event := connection.next_event(), _h11.Data):
        body += event.data
    return (request.method, request.target, body) if isinstance(event, _h11.EndOfMessage) else None
