"""A real `manage.py runrivet`, started and watched from a test."""

import contextlib
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from waiting import DEADLINE, until

SITE = Path(__file__).parent / "site"
PACKAGE = Path(__file__).parents[2] / "python"
# For the counts of a soak, next to those of every run.
LONG = (pytest.mark.long, pytest.mark.timeout(1800))


class Server:
    """`Server("--processes", "2")` serves on a free port; a context manager that stops what still runs.

    `environment` are variables; `launcher` is a Python script that execs its arguments, and gets `pass_fds`; `site` is
    the folder of another project.
    """

    def __init__(
        self,
        *flags: str,
        wait: bool = True,
        launcher: str = "",
        pass_fds: tuple[int, ...] = (),
        site: Path = SITE,
        **environment: str,
    ) -> None:
        arguments = list(flags) if "--port" in flags or "--uds" in flags else [*flags, "--port", "0"]
        self.process = subprocess.Popen(
            [
                *([sys.executable, "-c", launcher] if launcher else []),
                *(sys.executable, "manage.py", "runrivet", "--access-log", "off", *arguments),
            ],
            cwd=site,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(filter(None, (str(PACKAGE), os.environ.get("PYTHONPATH")))),
                **environment,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            pass_fds=pass_fds,
            # A test's signals to the group reach the server, not pytest.
            process_group=0,
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if wait:
            self.wait_ready()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.append(line.rstrip())

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    @property
    def port(self) -> int:
        found = re.search(r"http://[^/]*:(\d+)/", self.output)
        assert found, self.output
        return int(found[1])

    def wait_ready(self) -> None:
        until(
            lambda: "SIGTERM ends requests" in self.output or self.process.poll() is not None, "the server is ready"
        )
        assert self.process.poll() is None, self.output

    def said(self, text: str) -> bool:
        return text in self.output

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE)

    def ask(self, path: str, fields: str = "") -> socket.socket:
        """A client that has sent a request with additional fields, each ended by CRLF."""
        client = self.connect()
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{fields}\r\n".encode())
        return client

    def get(self, path: str, method: str = "GET", timeout: float = DEADLINE) -> tuple[int, bytes]:
        """Status and body of the answer to a request on a connection of its own."""
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)) as client:
            client.request(method, path)
            answer = client.getresponse()
            return answer.status, answer.read()

    def refuses(self) -> bool:
        """Does nobody take connections any more?"""
        try:
            self.connect().close()
        except ConnectionError:
            return True
        return False

    def workers(self) -> list[int]:
        """The processes that serve: the children of the parent, or the one process."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [int(child) for child in children] or [self.pid]

    def has_read(self, count: int) -> bool:
        """Has it taken so many connections, and all that came on them? As the kernel sees it: proc_net_tcp(5)."""
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        mine = [row for row in rows if row[1].endswith(f":{self.port:04X}") and row[3] == "01"]
        taken = [row for row in mine if row[4].endswith(":00000000") and row[9] != "0"]
        return len(mine) == len(taken) >= count

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def end(self, seconds: float = DEADLINE) -> int:
        """Waits for the end by itself; returns the exit code."""
        code = self.process.wait(seconds)
        self._reader.join(DEADLINE)
        return code

    def stop(self) -> int:
        self.signal(signal.SIGTERM)
        return self.end()

    def kill(self) -> None:
        """Ends all its processes by force."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self.process.wait(DEADLINE)
        self._reader.join(DEADLINE)


def patched(statements: str) -> str:
    """A launcher that changes constants, in the parent and its workers, before it runs manage.py."""
    run = "sys.argv = sys.argv[2:]; exec(compile(open('manage.py').read(), 'manage.py', 'exec'))"
    return f"import sys; {statements}; {run}"


def fds(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def idle_fds(pid: int, port: int) -> int:
    """The descriptors of a server once it has no connection left: it may not have seen yet that a load has ended."""
    until(lambda: not connections(port), "no connection is left")
    return fds(pid)


def connections(port: int) -> int:
    """Connections that the server's side of a port has open (proc_net_tcp(5)): established, or left by the client."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[1].endswith(f":{port:04X}") and row[3] in ("01", "08") for row in rows)


def threads(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/task"))


def rss(pid: int) -> int:
    """Bytes of memory in use that belong to this process alone or with others."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
