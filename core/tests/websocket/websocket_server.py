"""A server process of native WebSocket handlers (websocket_app.py), and a client that can send any bytes."""

import contextlib
import json
import os
import queue
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

APP = Path(__file__).with_name("websocket_app.py")
PACKAGE = Path(__file__).parents[2] / "python"
DEADLINE = 20.0
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
KEY = "dGhlIHNhbXBsZSBub25jZQ=="


class Server:
    """The running process: where to connect, and what it told."""

    def __init__(self, port: int, process: subprocess.Popen[str]) -> None:
        self.port = port
        self.process = process
        self.told: queue.Queue[list[Any]] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.told.put(json.loads(line))

    def next(self, deadline: float = DEADLINE) -> list[Any]:
        """The next thing that a handler told."""
        return self.told.get(timeout=deadline)

    def rest(self) -> list[list[Any]]:
        """What else was told until the process ended in order."""
        self.process.terminate()
        assert self.process.wait(DEADLINE) == 0
        said = []
        with contextlib.suppress(queue.Empty):
            while True:
                said.append(self.told.get(timeout=0.2))
        return said

    def rss(self) -> int:
        """Bytes of memory that the process has now."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGESIZE")

    def url(self, path: str = "/echo") -> str:
        return f"ws://127.0.0.1:{self.port}{path}"


@contextlib.contextmanager
def serve(**options: object) -> Iterator[Server]:
    """Starts the process with these options of the engine; ends it with SIGTERM."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        command = [sys.executable, str(APP), str(listener.fileno()), json.dumps(options)]
        environment = os.environ | {"PYTHONPATH": str(PACKAGE)}
        process = subprocess.Popen(
            command, pass_fds=[listener.fileno()], stdout=subprocess.PIPE, text=True, env=environment
        )
        server = Server(listener.getsockname()[1], process)
    try:
        assert server.next() == ["ready"]
        yield server
    finally:
        process.terminate()
        try:
            process.wait(2 * DEADLINE)
        finally:
            process.kill()


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0, mask: bytes = b"abcd") -> bytes:
    """A client's frame; an empty `mask` leaves it unmasked."""
    first = fin << 7 | rsv << 4 | opcode
    bit = 0x80 if mask else 0
    if len(payload) < 126:
        head = struct.pack("!BB", first, bit | len(payload))
    elif len(payload) < 65536:
        head = struct.pack("!BBH", first, bit | 126, len(payload))
    else:
        head = struct.pack("!BBQ", first, bit | 127, len(payload))
    if mask:
        repeated = (mask * (len(payload) // 4 + 1))[: len(payload)]
        payload = (int.from_bytes(payload) ^ int.from_bytes(repeated)).to_bytes(len(payload))
    return head + mask + payload


class Client:
    """A connection after the handshake that can say anything."""

    def __init__(self, server: Server, path: str = "/echo", fields: str = "", *, small: bool = False) -> None:
        self.socket = socket.socket()
        if small:
            # The kernel then takes little of what this client does not read.
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.settimeout(DEADLINE)
        self.socket.connect(("127.0.0.1", server.port))
        self.socket.sendall(request(path, fields))
        self.file = self.socket.makefile("rb")
        self.head = b"".join(iter(self.file.readline, b"\r\n")).decode()
        assert self.head.startswith("HTTP/1.1 101 "), self.head

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def read(self) -> tuple[int, bytes]:
        """The next frame: its first byte and payload."""
        first, length = self.exactly(2)
        if length == 126:
            (length,) = struct.unpack("!H", self.exactly(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", self.exactly(8))
        return first, self.exactly(length)

    def exactly(self, count: int) -> bytes:
        data = self.file.read(count)
        assert len(data) == count, f"the connection ended after {data!r}"
        return data

    def closed(self) -> tuple[int, str]:
        """Reads the close frame that comes next, and the connection's end behind it."""
        first, payload = self.read()
        assert first == 0x80 | CLOSE, (first, payload[:100])
        self.ended()
        return (int.from_bytes(payload[:2]), payload[2:].decode()) if payload else (1005, "")

    def ended(self) -> None:
        """The server has ended the connection, with nothing more on it."""
        with contextlib.suppress(ConnectionResetError):
            assert self.file.read() == b""

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()
        self.socket.close()


def request(path: str, fields: str = "") -> bytes:
    """A handshake with additional fields, each ended by CRLF."""
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n{fields}\r\n"
    ).encode()
