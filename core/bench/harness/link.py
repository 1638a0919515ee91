"""The link to an agent (agent.py), and the servers of a case behind it."""

import json
import socket
import time
from typing import Any

from harness.servers import SERVERS, command

PORTS = {"full": 9001, "half": 9002, "wide": 9003}


class Failed(Exception):
    """A case cannot be measured; the message says why."""


def connect(port: int, seconds: float) -> socket.socket:
    """As soon as something listens there."""
    end = time.monotonic() + seconds
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=60)
        except OSError:
            if time.monotonic() > end:
                raise Failed(f"nothing listens on port {port}") from None
            time.sleep(0.1)


class Link:
    """One agent. `cpu` is its address, where the generator asks for CPU time."""

    def __init__(self, where: str) -> None:
        self.cpu = f"127.0.0.1:{PORTS[where]}"
        self.file = connect(PORTS[where], 30).makefile("rw")

    def ask(self, do: str, **arguments: object) -> Any:
        self.file.write(json.dumps({"do": do} | arguments) + "\n")
        self.file.flush()
        answer = json.loads(self.file.readline())
        if "error" in answer:
            raise Failed(f"{do}: {answer['error']}")
        return answer["value"]

    def start(self, name: str, port: int) -> None:
        """Starts the server, and before it the one that stands behind it."""
        server = SERVERS[name]
        if server.web:
            self.ask("start", name=behind(name), **command(SERVERS[server.web], port + 50))
        self.ask("start", name=name, **command(server, port))

    def stop(self, name: str) -> None:
        for part in self.parts(name):
            self.ask("stop", name=part)

    def parts(self, name: str) -> list[str]:
        return [name, behind(name)] if SERVERS[name].web else [name]

    def ended(self, name: str) -> bool:
        return any(self.ask("ended", name=part) for part in self.parts(name))

    def truncate(self, name: str) -> None:
        for part in self.parts(name):
            self.ask("truncate", name=part)

    def log(self, name: str) -> str:
        return "".join(str(self.ask("tail", name=part)) for part in self.parts(name))


def behind(name: str) -> str:
    """The name of the server that the nginx of this name hands on to."""
    return f"{name}-web"
