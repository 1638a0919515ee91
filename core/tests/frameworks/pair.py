"""runrivet and uvicorn as processes that serve the same project, each with a database of its own."""

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx

from waiting import DEADLINE, until

SITE = Path(__file__).parent / "site"
PACKAGE = Path(__file__).parents[2] / "python"
HOST = "example.org"  # the same in all addresses that an answer holds
COMMANDS = {
    "runrivet": "manage.py runrivet --port 0 --access-log off",
    "uvicorn": "-m uvicorn frameworks_asgi:application --port 0 --no-access-log --lifespan off",
}
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")
# Each server's own, of one connection, or of one second.
NOT_COMPARED = {"connection", "date", "expires", "keep-alive", "server", "transfer-encoding"}
# What Django draws by lot, and how long a throttle lasts.
RANDOM = [
    (re.compile(r"(csrf\w*token\W+(?:value\W+)?)\w{32,64}", re.IGNORECASE), r"\1TOKEN"),
    (re.compile(r"(sessionid=)\w{32}"), r"\1KEY"),
    (re.compile(r"(expires=)[\w:, ]+"), r"\1DATE"),
    (re.compile(r"\b86(?:400|3\d\d)\b"), "A DAY"),
]


def steady(text: str) -> str:
    for pattern, instead in RANDOM:
        text = pattern.sub(instead, text)
    return text


def told(response: httpx.Response) -> tuple[int, list[tuple[str, str]], str]:
    """What must be equal: the status, the fields and the body."""
    fields = [(name.lower(), steady(value)) for name, value in response.headers.multi_items()]
    # RFC 9110 8.6: an answer with status 204 has no Content-Length; uvicorn sends Django's.
    left_out = NOT_COMPARED | {"content-length"} if response.status_code == 204 else NOT_COMPARED
    kept = sorted(field for field in fields if field[0] not in left_out)
    return response.status_code, kept, steady(response.text)


@contextlib.contextmanager
def serving(name: str, database: Path) -> Iterator[httpx.Client]:
    """Starts one of the two; gives a client that keeps cookies."""
    log = database.with_suffix(".log")
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((str(PACKAGE), str(SITE))),
        "PYTHONHASHSEED": "0",  # Django REST framework writes Allow in the order of a set
        "DATABASE": str(database),
    }
    with open(log, "wb") as output:
        process = subprocess.Popen(
            [sys.executable, *COMMANDS[name].split()],
            cwd=SITE,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        fields = {"Host": HOST, "Accept-Encoding": "identity", "User-Agent": "test"}
        with httpx.Client(base_url=address(process, log), headers=fields, timeout=DEADLINE) as client:
            yield client
    finally:
        process.terminate()
        process.wait(DEADLINE)


def address(process: subprocess.Popen[bytes], log: Path) -> str:
    """Where it listens, as it says itself."""

    def said() -> re.Match[str] | None:
        assert process.poll() is None, log.read_text()
        return ADDRESS.search(log.read_text())

    return until(said, "it listens")[0]


class Pair:
    """The two servers. A request goes to both, and both must give the same answer."""

    def __init__(self, clients: Sequence[httpx.Client]) -> None:
        self.clients = clients

    def ask(self, method: str, path: str, *, csrf: bool = True, **arguments: Any) -> httpx.Response:
        """The answer of runrivet, which must be that of uvicorn. csrf: send the token of the cookie, if any."""
        answers = []
        for client in self.clients:
            token = client.cookies.get("csrftoken") if csrf else None
            headers = ({"X-CSRFToken": token} if token else {}) | arguments.get("headers", {})
            answers.append(client.request(method, path, **arguments | {"headers": headers}))
        ours, theirs = answers
        assert told(ours) == told(theirs)
        return ours

    def forget(self) -> None:
        """Logs out, as a new visitor."""
        for client in self.clients:
            client.cookies.clear()
