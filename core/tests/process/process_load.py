"""A load of clients, each answer checked against its request, so that a lost or crossed one shows."""

import asyncio
import contextlib
import hashlib
import itertools
import random
import threading
import time
from dataclasses import dataclass, field
from typing import Self


class Refused(Exception):
    """The server takes no connections."""


class Unanswered(Exception):
    """The server closed a connection before the first byte of an answer."""


class Broken(Exception):
    """The server closed a connection within an answer, or its answer is none."""


class Connection:
    """One HTTP connection. `fresh` until its first answer: then a close between answers is the server's right."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.fresh = True
        self.open = True

    @classmethod
    async def to(cls, port: int) -> Self:
        try:
            return cls(*await asyncio.open_connection("127.0.0.1", port))
        except OSError as error:
            raise Refused(error) from None

    async def send(self, method: str, path: str, body: bytes = b"") -> None:
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n\r\n"
        with contextlib.suppress(ConnectionError):  # the answer, or its absence, is what counts
            self.writer.write(head.encode() + body)
            await self.writer.drain()

    async def answer(self) -> tuple[int, bytes]:
        """Status and body."""
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as error:
            raise (Broken(error.partial) if error.partial else Unanswered()) from None
        except ConnectionError:
            raise Unanswered from None
        lines = head.decode("latin-1").lower().split("\r\n")
        fields = dict(line.split(": ", 1) for line in lines[1:] if line)
        try:
            body = await self.reader.readexactly(int(fields["content-length"]))
        except (asyncio.IncompleteReadError, ConnectionError, KeyError) as error:
            raise Broken(f"{error!r} after {head!r}") from None
        self.fresh = False
        self.open = fields.get("connection") != "close"
        return int(lines[0].split()[1]), body

    def close(self) -> None:
        self.writer.close()


@dataclass
class Result:
    """What the clients saw."""

    answered: int = 0
    seconds: list[float] = field(default_factory=list)
    processes: dict[str, int] = field(default_factory=dict)
    statuses: dict[int, int] = field(default_factory=dict)
    crossed: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    # Requests on new connections that were closed without an answer: the server had taken them, or said so.
    dropped: list[str] = field(default_factory=list)
    # Requests on used connections that the server closed at that moment: clients repeat them (RFC 9112, section 9.3.1).
    repeated: int = 0
    refused: int = 0

    def quantile(self, share: float) -> float:
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Load:
    """Clients in a thread of this process until `stop`, which returns the result.

    `keep`: requests on one connection until the client itself takes a new one. `seconds`: how long the view takes.
    `bodies`: every other request is an upload. The load ends by itself when the server refuses connections.
    """

    def __init__(
        self, port: int, clients: int = 20, *, keep: int = 10, seconds: float = 0, bodies: bool = False
    ) -> None:
        self.result = Result()
        self._port, self._clients, self._keep, self._seconds, self._bodies = port, clients, keep, seconds, bodies
        self._numbers = itertools.count()
        self._mark = f"{random.getrandbits(32):08x}"
        self._over = False
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)

    def start(self) -> Self:
        self._thread.start()
        return self

    def stop(self, patience: float = 60) -> Result:
        self._over = True
        return self.join(patience)

    def join(self, patience: float = 60) -> Result:
        """Waits until the server has refused every client."""
        self._thread.join(patience)
        assert not self._thread.is_alive(), f"clients still wait: {self.result}"
        return self.result

    async def _run(self) -> None:
        await asyncio.gather(*(self._client() for _ in range(self._clients)))

    async def _client(self) -> None:
        connection: Connection | None = None
        while not self._over:
            try:
                if connection is None:
                    connection = await Connection.to(self._port)
                for _ in range(self._keep):
                    await self._request(connection)
                    if self._over or not connection.open:
                        break
            except Refused:
                self.result.refused += 1
                return
            except Unanswered:
                assert connection
                if connection.fresh:
                    self.result.dropped.append(repr(connection.writer.get_extra_info("sockname")))
                else:
                    self.result.repeated += 1
            except Broken as error:
                self.result.broken.append(str(error))
            if connection:
                connection.close()
            connection = None

    async def _request(self, connection: Connection) -> None:
        number = next(self._numbers)
        name = f"{self._mark}-{number}"
        body = random.randbytes(random.randrange(100_000)) if self._bodies and number % 2 else b""
        begun = time.monotonic()
        if body:
            await connection.send("POST", f"/upload/{name}", body)
        else:
            await connection.send("GET", f"/named/{name}?seconds={self._seconds}")
        status, answer = await connection.answer()
        self.result.seconds.append(time.monotonic() - begun)
        self.result.answered += 1
        self.result.statuses[status] = self.result.statuses.get(status, 0) + 1
        if status != 200:
            return
        got, process, *rest = answer.decode().split()
        if got != name or (body and rest != [str(len(body)), hashlib.sha256(body).hexdigest()]):
            self.result.crossed.append(f"{name}: {answer!r}")
        self.result.processes[process] = self.result.processes.get(process, 0) + 1
