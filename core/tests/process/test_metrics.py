"""What Prometheus reads: the numbers of all processes, which never go down, whatever becomes of a process."""

import contextlib
import http.client
import os
import re
import signal
import socket
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from prometheus_client.openmetrics import parser as strict
from prometheus_client.parser import text_string_to_metric_families as families

from process_load import Load
from process_server import Server, patched
from waiting import until

OPEN = {"Accept": "application/openmetrics-text; version=1.0.0,text/plain;q=0.5"}
COUNTS = pytest.mark.parametrize("processes", ["1", "2"])

type Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def metrics_port(server: Server) -> int:
    found = re.search(r"Metrics: /metrics of http://127\.0\.0\.1:(\d+)/", server.output)
    assert found, server.output
    return int(found[1])


def scrape(server: Server) -> Samples:
    with urllib.request.urlopen(f"http://127.0.0.1:{metrics_port(server)}/metrics", timeout=30) as answer:
        text = answer.read().decode()
    samples = [sample for family in families(text) for sample in family.samples]
    read = {(sample.name, frozenset(sample.labels.items())): sample.value for sample in samples}
    assert len(read) == len(samples), "a series comes once"
    return read


def total(samples: Samples, name: str, **labels: str) -> float:
    """Of all series of that name that have these labels."""
    return sum(value for (each, has), value in samples.items() if each == name and labels.items() <= has)


def counted(samples: Samples) -> Samples:
    """What may never go down."""
    return {key: value for key, value in samples.items() if re.search("_(total|count|sum|bucket)$", key[0])}


def serve(*flags: str, launcher: str = "") -> Server:
    return Server("--metrics", "127.0.0.1:0", *flags, launcher=launcher)


@COUNTS
def test_requests_by_route_method_and_status(processes: str) -> None:
    with serve("--processes", processes) as server:
        for name in ("a", "b", "c"):
            server.get(f"/named/{name}")
            server.get(f"/native/async/{name}")
        server.get("/native/blocking/a")
        server.get("/native/async/a", "DELETE")
        server.get("/secret-path-of-nobody")
        server.get("/secret-path-of-nobody", "BREW")
        server.get("/health/live")
        samples = until(
            lambda: (read := scrape(server)) and total(read, "rivet_request_seconds_count") == 11 and read, "all count"
        )
        seen = {
            (labels["method"], labels["route"], labels["status"]): value
            for (name, has), value in samples.items()
            if name == "rivet_request_seconds_count" and (labels := dict(has))
        }
        assert seen == {
            ("GET", "/named/<str:name>", "2xx"): 3,
            ("GET", "/native/async/{name}", "2xx"): 3,
            ("GET", "/native/blocking/{name}", "2xx"): 1,
            ("DELETE", "", "4xx"): 1,
            ("GET", "", "4xx"): 1,
            ("OTHER", "", "4xx"): 1,
            ("GET", "/health/live", "2xx"): 1,
        }
        assert total(samples, "rivet_accepted_connections_total") == 11
        assert total(samples, "rivet_sent_bytes_total") > 11 * 100 < total(samples, "rivet_received_bytes_total") * 2
        assert total(samples, "rivet_queue_seconds_count") >= 1
        assert total(samples, "rivet_gil_wait_seconds_count") > 0
        assert total(samples, "rivet_build_info") == 1
        assert total(samples, "process_resident_memory_bytes", worker="1") > 10 << 20
        assert total(samples, "process_open_fds", worker=processes) > 5
        workers = {dict(has)["worker"] for name, has in samples if name == "process_cpu_seconds_total"}
        assert workers == ({"1"} if processes == "1" else {"1", "2", "parent"})
        assert server.stop() == 0


def test_both_formats_are_read_by_their_own_strict_parsers() -> None:
    with serve() as server:
        server.get("/named/a")
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", metrics_port(server), timeout=30)) as client:
            client.request("GET", "/metrics", headers=OPEN)
            answer = client.getresponse()
            assert answer.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
            names = {family.name for family in strict.text_string_to_metric_families(answer.read().decode())}
        assert {"rivet_connections", "rivet_request_seconds", "rivet_refused", "process_cpu_seconds"} <= names
        for path, method, status in [("/", "GET", 404), ("/metrics", "POST", 405), ("/metrics", "HEAD", 200)]:
            with contextlib.closing(
                http.client.HTTPConnection("127.0.0.1", metrics_port(server), timeout=30)
            ) as client:
                client.request(method, path)
                assert client.getresponse().status == status
        assert server.get("/metrics")[0] == 404, "never on the published port"


def test_nothing_goes_down_when_workers_die_and_are_replaced() -> None:
    with serve("--processes", "2") as server:
        before = scrape(server)
        for round_ in range(2):
            load = Load(server.port, 8, keep=5).start()
            until(lambda load=load: load.result.answered > 200, "the load runs")
            dead = server.workers()[0]
            os.kill(dead, signal.SIGKILL)
            until(lambda dead=dead: dead not in server.workers() and len(server.workers()) == 2, "another one")
            result = load.stop()
            after = scrape(server)
            assert {key for key, value in counted(before).items() if after.get(key, -1) < value} == set()
            assert total(after, "rivet_request_seconds_count", status="2xx") >= result.answered
            assert total(after, "rivet_restarts_total", reason="died") == round_ + 1
            before = after
        server.signal(signal.SIGHUP)
        until(lambda: server.said("all workers have been replaced"), "the reload is done")
        after = until(
            lambda: (read := scrape(server)) and total(read, "rivet_connections") == 0 and read, "the old ones end"
        )
        assert {key for key, value in counted(before).items() if after.get(key, -1) < value} == set()
        assert total(after, "rivet_restarts_total", reason="reload") == 2
        assert server.stop() == 0


def stuck(server: Server) -> bool:
    try:
        server.get("/health/live", timeout=1)
    except OSError:
        return True
    return False


@COUNTS
def test_they_are_answered_while_every_worker_is_stuck(processes: str) -> None:
    with serve("--processes", processes) as server, contextlib.ExitStack() as on:
        # So many that, by whatever chance, each worker gets one.
        for _ in range(24):
            on.enter_context(server.ask("/native/hold"))
        with ThreadPoolExecutor(8) as threads:
            until(lambda: all(threads.map(stuck, [server] * 8)), "no worker has time for anything else")
        assert total(scrape(server), "rivet_accepted_connections_total") >= int(processes)


@pytest.mark.parametrize(
    ("flags", "path", "reason"),
    [
        (["--supervise", "--hang-timeout", "2"], "/native/hang/60", "hung"),
        (["--max-requests", "1"], "/named/a", "limit"),
    ],
)
def test_restarts_are_counted_by_reason(flags: list[str], path: str, reason: str) -> None:
    young = patched("from django_rivet.server import pulse; pulse._LEAST_AGE = 0")
    with serve(*flags, launcher=young) as server:
        # Who hung gives no answer.
        with contextlib.suppress(OSError, http.client.HTTPException):
            server.get(path)
        until(lambda: total(scrape(server), "rivet_restarts_total", reason=reason) == 1, "it was replaced")


def test_what_is_turned_away_is_counted() -> None:
    with serve("--workers", "1", "--queue-timeout", "0.5", "--max-connections", "4", "--header-timeout", "1") as server:
        with server.connect() as client:
            client.sendall(b"no head\r\n\r\n")
            assert client.recv(100).startswith(b"HTTP/1.1 400")
        with server.connect() as slow:
            slow.sendall(b"GET / HTTP/1.1\r\n")
            assert slow.recv(100).startswith(b"HTTP/1.1 408")
        with contextlib.ExitStack() as on:
            clients = [on.enter_context(server.connect()) for _ in range(4)]
            for client in clients[:2]:
                client.sendall(b"GET /named/x?seconds=5 HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert clients[1].recv(100) and clients[0]
            with server.connect() as more:
                assert more.recv(100).startswith(b"HTTP/1.1 503")
        samples = scrape(server)
        refused = {
            dict(has)["reason"]: value for (name, has), value in samples.items() if name == "rivet_refused_total"
        }
        assert refused == {"connections": 1, "requests": 0, "threads": 1, "messages": 0, "invalid": 2}
        assert total(samples, "rivet_timeouts_total", direction="read") == 1
        waited = total(samples, "rivet_queue_seconds_sum")
        assert 0.4 < waited < 10


def test_clients_that_say_nothing_hold_up_nobody() -> None:
    with serve() as server, contextlib.ExitStack() as on:
        address = ("127.0.0.1", metrics_port(server))
        silent = [on.enter_context(socket.create_connection(address, timeout=30)) for _ in range(7)]
        silent[0].sendall(b"GET /met")
        begun = time.monotonic()
        scrape(server)
        assert time.monotonic() - begun < 2, "it does not wait until their three seconds are over"
        silent += [on.enter_context(socket.create_connection(address, timeout=30)) for _ in range(3)]
        assert scrape(server), "after those for whom there is no thread"
        assert {client.recv(1) for client in silent} == {b""}


def test_a_unix_socket_and_a_taken_port(tmp_path: Path) -> None:
    path = tmp_path / "metrics"
    with Server("--metrics", str(path)) as server:
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            client.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            text = b"".join(iter(lambda: client.recv(65536), b""))
        assert b"\nrivet_connections 0\n" in text
        with Server("--metrics", f"127.0.0.1:{server.port}", wait=False) as other:
            assert other.end() == 3
            assert "choose another port by --metrics" in other.output
        assert server.stop() == 0
        assert not path.exists()
