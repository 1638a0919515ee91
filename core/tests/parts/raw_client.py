"""Requests over a socket that is kept, sent as they are written: no field is added, no path is made tidy."""

import contextlib
import socket
from collections.abc import Iterable, Iterator
from typing import NamedTuple

DEADLINE = 20.0


class Answer(NamedTuple):
    status: int
    fields: list[tuple[str, str]]
    body: bytes

    def field(self, name: str) -> str | None:
        """The value of a field that must not come twice; None when it is absent."""
        values = [value for known, value in self.fields if known.lower() == name]
        assert len(values) < 2, f"{name} twice: {values}"
        return values[0] if values else None


class Client:
    """One connection. `send` writes, `answer` reads the next answer; `ask` does both."""

    def __init__(self, address: tuple[str, int] | str) -> None:
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(DEADLINE)
        self.socket.connect(address)
        self.file = self.socket.makefile("rb")

    def send(self, method: str, target: str, fields: Iterable[tuple[str, str]] = (), body: bytes = b"") -> None:
        lines = [f"{method} {target} HTTP/1.1", "Host: example.com", *(f"{name}: {value}" for name, value in fields)]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + body)

    def head(self) -> tuple[int, list[tuple[str, str]]]:
        line = self.file.readline()
        assert line.startswith(b"HTTP/1.1 "), f"no status line: {line!r}"
        fields = []
        while (field := self.file.readline()) not in (b"\r\n", b""):
            name, _, value = field.decode("latin-1").rstrip("\r\n").partition(": ")
            fields.append((name, value))
        return int(line[9:12]), fields

    def answer(self, method: str = "GET") -> Answer:
        status, fields = self.head()
        answer = Answer(status, fields, b"")
        if method == "HEAD" or status == 304 or status == 204:
            return answer
        if answer.field("transfer-encoding") == "chunked":
            return answer._replace(body=b"".join(self.chunks()))
        length = int(answer.field("content-length") or 0)
        return answer._replace(body=self.file.read(length))

    def chunks(self) -> Iterator[bytes]:
        while size := int(self.file.readline(), 16):
            yield self.file.read(size)
            assert self.file.readline() == b"\r\n"
        assert self.file.readline() == b"\r\n"

    def ask(self, method: str, target: str, fields: Iterable[tuple[str, str]] = (), body: bytes = b"") -> Answer:
        self.send(method, target, fields, body)
        return self.answer(method)

    def get(self, target: str, *fields: tuple[str, str]) -> Answer:
        return self.ask("GET", target, fields)

    def close(self) -> None:
        self.file.close()
        self.socket.close()


@contextlib.contextmanager
def connect(address: tuple[str, int] | str) -> Iterator[Client]:
    client = Client(address)
    try:
        yield client
    finally:
        client.close()
