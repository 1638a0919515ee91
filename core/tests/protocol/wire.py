"""Raw bytes over a connection, and the answers that come back."""

import json
import socket
from dataclasses import dataclass
from typing import Any

# Seconds until an answer or the end of a connection that must come does come.
PATIENCE = 10


@dataclass
class Answer:
    status: int
    body: bytes

    @property
    def echo(self) -> dict[str, Any]:
        """What the server of these tests has seen: the request as a JSON object, bytes as Latin-1."""
        seen: dict[str, Any] = json.loads(self.body)
        return seen


def talk(port: int, data: bytes, *, answers: int, head: bool = False, end: bool = False) -> list[Answer]:
    """Sends bytes and reads so many answers; with `answers` 0, all until the server closes, which it must.

    `head`: the answers have no body. `end`: the client sends no more than these bytes, and says so.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        try:
            connection.sendall(data)
            if end:
                connection.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the server has refused before all was sent; its answer may be there all the same
        return _answers(connection, answers, head)


def _answers(connection: socket.socket, wanted: int, head: bool) -> list[Answer]:
    found: list[Answer] = []
    received = b""
    while True:
        while (answer := _answer(received, head)) is not None:
            length, read = answer
            received = received[length:]
            if read.status >= 200:
                found.append(read)
        if wanted and len(found) >= wanted:
            return found
        try:
            part = connection.recv(1 << 16)
        except ConnectionResetError:
            part = b""
        if not part:
            if received:
                raise AssertionError(f"half an answer: {received!r}")
            return found
        received += part


def _answer(received: bytes, head: bool) -> tuple[int, Answer] | None:
    start, end, rest = received.partition(b"\r\n\r\n")
    if not end:
        return None
    line, *fields = start.split(b"\r\n")
    status = int(line.split(b" ")[1])
    values = dict(field.lower().split(b": ", 1) for field in fields)
    length = 0 if head or status < 200 else int(values[b"content-length"])
    if len(rest) < length:
        return None
    return len(start) + len(end) + length, Answer(status, rest[:length])
