"""What systemd hears: https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html"""

import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from process_server import Server, patched
from waiting import until


class Listener:
    """The end of NOTIFY_SOCKET that systemd holds."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self._socket.setblocking(False)
        self.heard: list[str] = []

    def hear(self) -> list[str]:
        """All that has come until now, line by line."""
        try:
            while True:
                self.heard += self._socket.recv(4096).decode().split("\n")
        except BlockingIOError:
            return self.heard

    def wait(self, line: str) -> None:
        until(lambda: line in self.hear(), line)

    def pings(self, seconds: float) -> int:
        before = self.hear().count("WATCHDOG=1")
        time.sleep(seconds)
        return self.hear().count("WATCHDOG=1") - before

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def systemd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Listener]:
    listener = Listener(getattr(request, "param", str(tmp_path / "notify")))
    yield listener
    listener.close()


@pytest.mark.parametrize("systemd", [f"@rivet-test-{os.getpid()}"], indirect=True)
def test_an_abstract_address(systemd: Listener) -> None:
    with Server(NOTIFY_SOCKET=systemd.address):
        systemd.wait("READY=1")


def test_start_reload_and_stop(systemd: Listener) -> None:
    with Server("--workers", "1", NOTIFY_SOCKET=systemd.address) as server:
        systemd.wait("READY=1")
        assert f"MAINPID={server.pid}" in systemd.heard
        (worker,) = server.workers()
        assert worker != server.pid, "it has a parent, for the reload"
        assert b"NOTIFY_SOCKET" not in Path(f"/proc/{worker}/environ").read_bytes()
        systemd.heard.clear()
        begun = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        server.signal(signal.SIGHUP)
        systemd.wait("READY=1")
        assert systemd.heard.index("RELOADING=1") < systemd.heard.index("READY=1")
        (moment,) = (line.partition("=")[2] for line in systemd.heard if line.startswith("MONOTONIC_USEC="))
        assert begun <= int(moment) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        assert "WATCHDOG=1" not in systemd.heard, "nobody asked for it"
        server.signal(signal.SIGTERM)
        systemd.wait("STOPPING=1")
        assert server.end() == 0


def test_a_reload_that_fails_ends_too(systemd: Listener, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    with Server(NOTIFY_SOCKET=systemd.address, SITE_DIES=str(broken)) as server:
        systemd.wait("READY=1")
        systemd.heard.clear()
        broken.touch()
        server.signal(signal.SIGHUP)
        systemd.wait("READY=1")
        assert any(line.startswith("STATUS=the new worker 1 ended with code 3") for line in systemd.heard)


def test_a_second_sighup_takes_the_code_of_its_own_time(systemd: Listener) -> None:
    with Server("--processes", "2", NOTIFY_SOCKET=systemd.address) as server:
        server.signal(signal.SIGHUP)
        systemd.wait("RELOADING=1")
        until(lambda: len(server.workers()) == 3, "a new worker starts")
        started = set(server.workers())
        server.signal(signal.SIGHUP)
        until(lambda: server.output.count("all workers have been replaced") == 2, "both")
        until(lambda: len(server.workers()) == 2, "the old ones have ended")
        assert not started & set(server.workers())
        assert systemd.hear().count("RELOADING=1") == 2


def test_the_watchdog_hears_of_workers_that_turn(systemd: Listener) -> None:
    quick = patched("from django_rivet.server import health; health._SILENT = 1.5")
    with Server("--hang-timeout", "0", launcher=quick, NOTIFY_SOCKET=systemd.address, WATCHDOG_USEC="600000") as server:
        systemd.wait("READY=1")
        until(lambda: systemd.hear().count("WATCHDOG=1") > 5, "pings")
        (worker,) = server.workers()
        os.kill(worker, signal.SIGSTOP)
        until(lambda: systemd.pings(1) == 0, "no more pings")
        os.kill(worker, signal.SIGCONT)
        until(lambda: systemd.pings(0.5) > 0, "pings again")


def test_the_watchdog_of_another_process(systemd: Listener) -> None:
    with Server(NOTIFY_SOCKET=systemd.address, WATCHDOG_USEC="300000", WATCHDOG_PID="1"):
        systemd.wait("READY=1")
        assert systemd.pings(1) == 0
