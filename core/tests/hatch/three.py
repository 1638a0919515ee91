"""runrivet, uvicorn and gunicorn as processes that serve the same project."""

import contextlib
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

from waiting import DEADLINE, until

SITE = Path(__file__).parent / "site"
PACKAGE = Path(__file__).parents[2] / "python"
COMMANDS = {
    "runrivet": "manage.py runrivet --port 0 --access-log off",
    "uvicorn": "-m uvicorn hatch_asgi:application --port 0 --no-access-log --lifespan off",
    "gunicorn": "-m gunicorn hatch_wsgi:application --bind 127.0.0.1:0 --threads 8 --graceful-timeout 1",
}
ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)")


class Server:
    """One of the three, and how to ask it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, *COMMANDS[name].split()],
            cwd=SITE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(PACKAGE), str(SITE)])},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.append(line)

    @property
    def output(self) -> str:
        return "".join(self.lines)

    def _found(self) -> re.Match[str] | None:
        assert self.process.poll() is None, self.output
        return ADDRESS.search(self.output)

    def ready(self) -> None:
        """Waits until it answers."""
        self.port = int(until(self._found, f"{self.name} listens")[1])
        until(self._answers, f"{self.name} answers")

    def _answers(self) -> bool:
        with contextlib.suppress(OSError):
            return self.get("/page/ready")[0].status == 200
        return False

    def http(self) -> HTTPConnection:
        return HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)

    def get(self, path: str, method: str = "GET", **arguments: Any) -> tuple[HTTPResponse, bytes]:
        """One request on a connection of its own: the response and its body."""
        with contextlib.closing(self.http()) as connection:
            connection.request(method, path, **arguments)
            response = connection.getresponse()
            return response, response.read()

    def seen(self, word: str) -> str:
        """What handlers have noted that begins with a word, as JSON."""
        return self.get(f"/seen/{word}")[1].decode()

    def socket(self, path: str) -> str:
        return f"ws://127.0.0.1:{self.port}{path}"

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._reader.join(DEADLINE)


@contextlib.contextmanager
def serving(name: str) -> Iterator[Server]:
    """Starts one of the three, and stops it."""
    server = Server(name)
    try:
        server.ready()
        yield server
    finally:
        server.stop()
