"""SIGTERM loses nothing; a second signal, or the time that is up, ends what still runs."""

import signal
import socket
import time
from pathlib import Path

import pytest

from process_load import Load
from process_server import Server, patched
from waiting import until

COUNTS = pytest.mark.parametrize("processes", ["1", "2"])


def rest(client: socket.socket) -> bytes:
    """All that the server sends until it closes."""
    return b"".join(iter(lambda: client.recv(65536), b""))


@COUNTS
@pytest.mark.parametrize("keep", [1, 1000], ids=["one request a connection", "kept connections"])
def test_sigterm_under_load_loses_nothing(processes: str, keep: int) -> None:
    with Server("--processes", processes) as server:
        load = Load(server.port, keep=keep, bodies=True).start()
        until(lambda: load.result.answered > 500, "the load runs")
        server.signal(signal.SIGTERM)
        assert server.end() == 0, server.output
        result = load.join()
        assert set(result.statuses) == {200}
        assert (result.crossed, result.broken, result.dropped) == ([], [], [])
        assert len(result.processes) == int(processes)
        assert "Traceback" not in server.output


@pytest.mark.parametrize(("processes", "number"), [("1", signal.SIGTERM), ("2", signal.SIGTERM), ("1", signal.SIGHUP)])
def test_requests_in_work_are_answered_and_new_connections_refused(
    processes: str, number: int, tmp_path: Path
) -> None:
    """One process without a parent has nobody who could replace it on SIGHUP."""
    with Server("--processes", processes) as server:
        clients = [server.ask(f"/held/{name}?until={tmp_path / 'now'}") for name in range(4)]
        idle = server.connect()
        until(lambda: server.has_read(5), "all are in work")
        server.signal(number)
        until(lambda: server.refuses(), "new connections are refused")
        assert rest(idle) == b"", "an idle connection is closed while they are"
        (tmp_path / "now").touch()
        for name, client in enumerate(clients):
            answer = rest(client)
            assert b"connection: close" in answer.lower()
            assert f"\r\n\r\n{name} ".encode() in answer
        assert server.end() == 0


@COUNTS
def test_a_stuck_request_is_cut_when_the_time_is_up(processes: str) -> None:
    with Server("--processes", processes, "--graceful-timeout", "1") as server:
        client = server.ask("/stuck")
        until(lambda: server.has_read(1), "it is in work")
        begun = time.monotonic()
        server.signal(signal.SIGTERM)
        assert rest(client) == b""
        assert server.end() == 0
        assert time.monotonic() - begun < 10
        assert "1 request did not end in time and was cut" in server.output


@COUNTS
@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_stops_at_once(processes: str, second: int) -> None:
    with Server("--processes", processes) as server:
        client = server.ask("/named/x?seconds=30")
        until(lambda: server.has_read(1), "it is in work")
        server.signal(signal.SIGTERM)
        until(lambda: server.refuses(), "the server drains")
        assert server.process.poll() is None, "it waits for the request"
        server.signal(second)
        begun = time.monotonic()
        assert server.end() == 0
        assert time.monotonic() - begun < 10
        assert rest(client) == b""


def test_the_time_before_the_drain_takes_connections() -> None:
    """For a proxy that must first hear that this server goes."""
    with Server("--drain-delay", "3") as server:
        begun = time.monotonic()
        server.signal(signal.SIGTERM)
        late = 0.0
        while True:
            try:
                with server.ask("/named/late") as client:
                    assert b"\r\n\r\nlate " in client.recv(65536)
            except ConnectionRefusedError:  # none is reset
                break
            late = time.monotonic() - begun
        assert 2 < late < 5
        assert server.end() == 0


def left_waiting(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=0.3).close()
    except TimeoutError:
        return True
    return False


@COUNTS
def test_who_comes_while_accepting_ends_is_not_let_in_to_be_reset(processes: str) -> None:
    """He is left waiting; when he asks again, a second later, the socket is closed."""
    long = patched("from django_rivet.server import engine; engine._HANDSHAKES = 3")
    with Server("--processes", processes, launcher=long) as server:
        client = server.ask("/named/early?seconds=2")
        until(lambda: server.has_read(1), "it is in work")
        server.signal(signal.SIGTERM)
        until(lambda: left_waiting(server.port), "nobody is let in")
        assert b"\r\n\r\nearly " in rest(client), "who was there goes on"
        until(server.refuses, "the socket is closed")
        assert server.end() == 0


@pytest.mark.parametrize(("processes", "path"), [("1", "/native/later/1"), ("2", "/native/later-on-a-thread/1")])
def test_work_after_an_answer_is_waited_for(processes: str, path: str) -> None:
    with Server("--processes", processes) as server:
        with server.ask(path) as client:
            assert b"promised" in client.recv(65536)
        server.signal(signal.SIGTERM)
        assert server.end() == 0
        assert "later: done" in server.output
        assert "cut" not in server.output


def test_work_after_an_answer_is_cut_when_the_time_is_up() -> None:
    with Server("--graceful-timeout", "1") as server:
        with server.ask("/native/later/60") as client:
            assert b"promised" in client.recv(65536)
        server.signal(signal.SIGTERM)
        assert server.end(30) == 0
        assert "1 request did not end in time and was cut." in server.output
        assert "later: done" not in server.output
