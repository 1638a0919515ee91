"""Clients that are slow, leave, or never read: they cost the others nothing and leave nothing behind."""

import resource
import socket
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Self

import pytest

from process_load import Load, Result
from process_server import LONG, Server, fds, idle_fds, patched, rss, threads
from waiting import until

ROUNDS = 7
QUICK_TIMEOUTS = ("--header-timeout", "4", "--body-timeout", "4", "--write-timeout", "4")


class Crowd:
    """Slow clients in a process of their own: process_crowd.py."""

    def __init__(self, port: int, kind: str, count: int) -> None:
        command = [sys.executable, Path(__file__).with_name("process_crowd.py"), str(port), kind, str(count)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.closed = 0
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout
        while dots := self._process.stdout.read1():
            self.closed += len(dots)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()


def open_files(count: int) -> None:
    """The clients need as many descriptors as the server."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    assert most == resource.RLIM_INFINITY or most >= count + 200, f"raise ulimit -n: {most}"


def quiet_load(port: int, answers: int) -> Result:
    """What clients that behave see: few, so that the server is not the limit."""
    load = Load(port, 4, keep=50).start()
    until(lambda: load.result.answered >= answers, "the load runs")
    return load.stop()


def check(result: Result) -> None:
    assert set(result.statuses) == {200}
    assert (result.crossed, result.broken, result.dropped) == ([], [], [])


def p99_ratio(crowded: Server, spared: Server) -> float:
    """The 99th percentile of a server's answers, by that of a server that the crowd spares: the median of the rounds.

    A round takes both within seconds, so that what the crowd and others take of the machine is the same for both.
    """
    ratios = []
    for number in range(ROUNDS):
        seconds = {}
        for server in (crowded, spared) if number % 2 else (spared, crowded):
            result = quiet_load(server.port, 2000)
            check(result)
            seconds[server] = result.quantile(0.99)
        ratios.append(seconds[crowded] / seconds[spared])
    print("p99 by that of the server without slow clients:", *(f"{ratio:.2f}" for ratio in ratios))
    return statistics.median(ratios)


@pytest.mark.parametrize("count", [500, pytest.param(5000, marks=LONG)])
@pytest.mark.parametrize("kind", ["head", "body"])
def test_slow_clients_are_closed_and_others_served(kind: str, count: int) -> None:
    """Slowloris: a byte now and then. A head has its time in all, a body its time without progress."""
    open_files(count)
    with Server(*QUICK_TIMEOUTS) as server, Server(*QUICK_TIMEOUTS) as spared:
        for each in (server, spared):
            quiet_load(each.port, 200)
        before = idle_fds(server.pid, server.port)

        with Crowd(server.port, kind, count) as crowd:
            until(lambda: fds(server.pid) - before >= count * 0.95, "they are connected")
            if count == 5000:
                # Only there: the quantile of a short run on a busy machine is its worst hiccup.
                assert p99_ratio(server, spared) < 2
            check(quiet_load(server.port, 2000))
            until(lambda: crowd.closed >= count, "each was closed once")
        until(lambda: fds(server.pid) <= before, "their descriptors are closed")
        assert server.stop() == 0


@pytest.mark.parametrize("count", [300, pytest.param(3000, marks=LONG)])
def test_half_posts_and_aborted_uploads_leave_nothing(count: int) -> None:
    """Clients that leave in the head, within a body in memory, and within one in a file."""
    with Server("--spool", "64K") as server:
        quiet_load(server.port, 500)
        before = idle_fds(server.pid, server.port), threads(server.pid)
        memory = rss(server.pid)
        head = b"POST /upload/x HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 10000000\r\n\r\n"
        load = Load(server.port, 4, bodies=True).start()
        for number in range(count):
            with server.connect() as client:
                client.sendall((head[:40], head + b"x" * 1000, head + b"x" * 1_000_000)[number % 3])
        check(load.stop())
        until(lambda: (fds(server.pid), threads(server.pid)) == before, "descriptors and threads are as before")
        assert rss(server.pid) - memory < 64 << 20
        check(quiet_load(server.port, 100))


def test_clients_that_leave_while_a_view_works() -> None:
    with Server("--workers", "4") as server:
        quiet_load(server.port, 100)
        before = idle_fds(server.pid, server.port)
        for _ in range(20):
            server.ask("/named/gone?seconds=0.2").close()
        check(quiet_load(server.port, 200))
        until(lambda: fds(server.pid) <= before, "their descriptors are closed")
        assert server.stop() == 0


def test_a_client_that_never_reads_is_cut_and_costs_little_memory() -> None:
    with Server(*QUICK_TIMEOUTS, "--workers", "2", "--high-water", "256K") as server:
        quiet_load(server.port, 200)
        before, memory = idle_fds(server.pid, server.port), rss(server.pid)
        clients = []
        for _ in range(2):
            client = socket.socket()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", server.port))
            client.sendall(b"GET /stream?pieces=4000 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            clients.append(client)
        until(lambda: fds(server.pid) > before, "they are connected")
        assert rss(server.pid) - memory < 32 << 20, "250 MiB are on their way to each"
        until(lambda: fds(server.pid) <= before, "they are cut")
        # Both threads are free again.
        check(quiet_load(server.port, 200))
        assert server.stop() == 0


def test_a_server_without_descriptors_waits_for_some() -> None:
    few = patched("import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (96, 96))")
    with Server(launcher=few) as server:
        clients = [server.connect() for _ in range(150)]
        until(lambda: server.said("accept: "), "it has none left")
        since = time.monotonic()
        until(lambda: server.output.count("accept: ") > 2, "it tries again")
        assert time.monotonic() - since > 0.4, "it tries without end"
        for client in clients:
            client.close()
        check(quiet_load(server.port, 100))
        assert server.stop() == 0
