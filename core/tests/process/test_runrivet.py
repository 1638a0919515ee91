"""Starting, stopping, and what an operator is told."""

import contextlib
import signal
import socket
import time
from pathlib import Path

import pytest

from django_rivet.server import sockets
from process_load import Load
from process_server import Server, patched
from waiting import until

COUNTS = pytest.mark.parametrize("processes", ["1", "2"])


@COUNTS
def test_it_serves_says_what_it_is_and_ends_with_0(processes: str) -> None:
    with Server("--processes", processes, "--workers", "3") as server:
        status, body = server.get("/named/first")
        assert (status, body.split()[0]) == (200, b"first")
        assert int(body.split()[1]) in server.workers()
        assert len(server.workers()) == int(processes)
        assert "3 threads each" in server.output
        assert "System check identified no issues" in server.output
        assert "body 100 MiB, WebSocket message 16 MiB" in server.output
        assert server.stop() == 0
        assert "Traceback" not in server.output


@COUNTS
def test_the_garbage_collector_passes_over_what_was_loaded_at_the_start(processes: str) -> None:
    with Server("--processes", processes) as server:
        own, every = map(int, server.get("/left-to-collector")[1].split())
        assert own == 0
        assert every < 20_000  # Django alone has some 60,000


def test_a_bound_that_the_system_does_not_allow_is_told() -> None:
    few = patched("import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))")
    with Server("--max-connections", "200", launcher=few) as server:
        assert "lets a process open 256 files" in server.output
    with Server("--max-connections", "100", launcher=few) as server:
        assert "lets a process open" not in server.output


@COUNTS
def test_environment_and_flags(processes: str) -> None:
    with Server("--processes", processes, RIVET_WORKERS="5", RIVET_GRACEFUL_TIMEOUT="7", RIVET_PROCESSES="9") as server:
        assert "5 threads" in server.output
        assert "(7 s)" in server.output
        assert len(server.workers()) == int(processes)


@pytest.mark.parametrize(
    ("flags", "environment", "line"),
    [
        (["--port", "x"], {}, "--port is 'x': write a whole number from 0 to 65535."),
        ([], {"RIVET_WORKERS": "0"}, "RIVET_WORKERS is '0': write a whole number from 1 to 512."),
        (["--host", "no.such.invalid"], {}, "--host (RIVET_HOST) no.such.invalid is no address of this machine"),
        (["--host", "192.0.2.1"], {}, "--host (RIVET_HOST) 192.0.2.1 is no address of this machine"),
        (
            ["--uds", "/no/such/folder/socket"],
            {},
            "--uds (RIVET_UDS) /no/such/folder/socket cannot be listened on: No such file or directory.",
        ),
        (["--uds", "/etc/passwd"], {}, "/etc/passwd is there and is no socket"),
        (["--compression", "rar"], {}, "--compression is 'rar': write off, or codings"),
        ([], {"RIVET_TRUSTED_PROXIES": "10.0.0.1/8"}, "RIVET_TRUSTED_PROXIES is '10.0.0.1/8': write addresses"),
        (["--trusted-proxies", "300.1.1.1"], {}, "--trusted-proxies is '300.1.1.1': write addresses"),
        ([], {"SITE_HOSTS": " "}, "ALLOWED_HOSTS is empty"),
        ([], {"SITE_DIES": "/"}, "this project is broken on purpose"),
        (["--processes", "2"], {"SITE_URLS": "no_such_module"}, "no_such_module"),
    ],
)
def test_it_says_why_it_cannot_start(flags: list[str], environment: dict[str, str], line: str) -> None:
    with Server(*flags, wait=False, **environment) as server:
        assert server.end() == 3, server.output
        assert line in server.output


@COUNTS
def test_port_taken(processes: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        with Server("--port", port, "--processes", processes, wait=False) as server:
            assert server.end() == 3
            assert f"Port {port} of 127.0.0.1 is taken by another program" in server.output


def test_port_taken_by_another_of_us() -> None:
    """SO_REUSEPORT alone would let both have it, each with half of the connections."""
    with (
        Server("--processes", "2") as first,
        Server("--processes", "2", "--port", str(first.port), wait=False) as second,
    ):
        assert second.end() == 3
        assert "is taken by another program" in second.output


def test_an_address_that_the_machine_lacks_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """localhost is ::1 too, which containers often lack."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, 0)) for host in ("192.0.2.1", "127.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with contextlib.ExitStack() as on:
        sets = sockets.tcp("localhost", 0, 1, copies=2)
        names = [[on.enter_context(each).getsockname() for each in group] for group in sets]
    assert names[0] == names[1] == [("127.0.0.1", names[0][0][1])]


@COUNTS
def test_unix_socket(processes: str, tmp_path) -> None:
    path = tmp_path / "web.sock"

    def ask() -> bytes:
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            client.sendall(b"GET /named/unix HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return b"".join(iter(lambda: client.recv(65536), b""))

    with Server("--uds", str(path), "--processes", processes) as server:
        assert b"\r\n\r\nunix " in ask()
        with Server("--uds", str(path), wait=False) as second:
            assert second.end() == 3
            assert f"{path} is taken by another program" in second.output
        server.kill()
        server.end()
    assert path.exists()
    with Server("--uds", str(path), "--processes", processes) as server:
        assert b"\r\n\r\nunix " in ask()
        assert server.stop() == 0
    assert not path.exists()


def test_who_may_connect_to_the_unix_socket(tmp_path) -> None:
    path = tmp_path / "web.sock"
    with Server("--uds", str(path)):
        assert path.stat().st_mode & 0o777 == 0o666
    with Server("--uds", str(path), "--uds-mode", "600"):
        assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("processes", "end"), [("1", signal.SIGTERM), ("2", signal.SIGTERM), ("2", signal.SIGKILL)]
)
def test_inherited_sockets(processes: str, end: int) -> None:
    """As systemd passes them: from file descriptor 3 on, by LISTEN_FDS."""
    with socket.create_server(("127.0.0.1", 0)) as bound:
        launcher = (
            f"import os, sys; os.dup2({bound.fileno()}, 3);"
            "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1');"
            "os.execv(sys.argv[1], sys.argv[1:])"
        )
        with Server("--processes", processes, launcher=launcher, pass_fds=(bound.fileno(),)) as server:
            assert server.port == bound.getsockname()[1]
            assert server.get("/named/inherited")[0] == 200
            workers = server.workers()
            server.signal(end)
            server.end()
            until(lambda: not any(Path(f"/proc/{each}").exists() for each in workers), "all have ended")
        for _ in range(2):
            socket.create_connection(bound.getsockname(), timeout=30).close()  # it waits for the next server


def test_live_answers_while_every_thread_is_stuck() -> None:
    with Server("--workers", "2", "--queue-timeout", "1") as server:
        stuck = [server.ask("/stuck") for _ in range(6)]
        until(lambda: server.get("/named/x")[0] == 503, "the queue is full")
        assert server.get("/health/live")[0] == 200
        for each in stuck:
            each.close()


@COUNTS
def test_sigint_stops_at_once(processes: str) -> None:
    with Server("--processes", processes) as server:
        load = Load(server.port, 4, seconds=20).start()
        until(lambda: server.has_read(4), "requests are in work")
        server.signal(signal.SIGINT)
        assert server.end(15) == 0
        load.stop()


@pytest.mark.parametrize(("processes", "code"), [("1", 128 + signal.SIGINT), ("2", 0)])
def test_a_second_sigint_ends_even_what_hangs(processes: str, code: int) -> None:
    with Server("--processes", processes) as server, server.ask("/native/hang/60"):
        until(lambda: server.has_read(1), "the I/O thread hangs")
        server.signal(signal.SIGINT)
        time.sleep(0.5)  # two signals at once may count as one
        assert server.process.poll() is None
        server.signal(signal.SIGINT)
        # Sooner than the end that the first one set.
        assert server.end(4) == code
