"""The access log of a real process: what a line says, what no peer can make it say, and that it holds up no request."""

import contextlib
import datetime
import json
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from raw_client import DEADLINE, connect

# Apache's combined format, read as log tools do: quoted fields have no bare quote inside.
COMBINED = re.compile(
    r"(\S+) - - \[(\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000)\] "
    r'"(\S*) (\S*) HTTP/1\.([01])" (\d{3}) (\d+) "([^"]*)" "([^"]*)"'
)


class Logged:
    """A process that logs; `lines` ends it and returns what it wrote."""

    def __init__(self, root: Path, *options: str) -> None:
        program = Path(__file__).with_name("logging_server.py")
        self.process = subprocess.Popen(
            [sys.executable, str(program), str(root), *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert self.process.stderr
        line = self.process.stderr.readline()
        assert line.strip().isdigit(), line + self.process.stderr.read()
        self.address = ("127.0.0.1", int(line))

    def lines(self) -> list[str]:
        out, err = self.process.communicate(timeout=DEADLINE)
        assert (self.process.returncode, err) == (0, b"")
        return out.decode("ascii").splitlines()


@contextlib.contextmanager
def logged(root: Path, *options: str) -> Iterator[Logged]:
    server = Logged(root, *options)
    try:
        yield server
    finally:
        server.process.kill()
        server.process.communicate()


def test_json(tmp_path):
    (tmp_path / "a.css").write_text("body{}")
    start = datetime.datetime.now(datetime.UTC)
    with logged(tmp_path, "access_log=json", "trusted_proxies=127.0.0.1") as server:
        with connect(server.address) as client:
            client.get(
                "/items/one?token=secret", ("User-Agent", 'a "b" \\ c'), ("Referer", "https://e.org/?code=secret")
            )
            client.get("/static/a.css", ("X-Forwarded-For", "6.6.6.6, 192.0.2.1"))
            told = client.get("/missing")
            client.get("/health/live")
        lines = [json.loads(line) for line in server.lines()]
    assert [(line["method"], line["path"], line["status"]) for line in lines] == [
        ("GET", "/items/one", 200),
        ("GET", "/static/a.css", 200),
        ("GET", "/missing", 404),
        ("GET", "/health/live", 200),
    ]
    assert [line["client"] for line in lines] == ["127.0.0.1", "192.0.2.1", "127.0.0.1", "127.0.0.1"]
    assert lines[0]["user_agent"] == 'a "b" \\ c'
    assert lines[0]["route"] == "/items/{name}"
    assert lines[2]["request_id"] == told.field("x-id")
    for line in lines:
        moment = datetime.datetime.fromisoformat(line["time"])
        assert start - datetime.timedelta(seconds=1) < moment <= datetime.datetime.now(datetime.UTC)
        assert 0 <= line["seconds"] < DEADLINE
        assert line["bytes_out"] > 50
        assert line["protocol"] == "HTTP/1.1"
    assert "secret" not in str(lines)


def test_combined(tmp_path):
    with logged(tmp_path, "access_log=combined") as server:
        with connect(server.address) as client:
            client.get("/items/one?token=secret", ("User-Agent", "curl/8"), ("Referer", "https://e.org/a?code=secret"))
            client.get("/missing", ("X-Forwarded-For", "192.0.2.1"))
        one, two = server.lines()
    found = COMBINED.fullmatch(one)
    assert found and found.group(1, 3, 4, 5, 6, 8, 9) == (
        "127.0.0.1", "GET", "/items/one", "1", "200", "https://e.org/a", "curl/8"
    )  # fmt: skip
    found = COMBINED.fullmatch(two)
    assert found and found.group(1, 4, 6, 8, 9) == ("127.0.0.1", "/missing", "404", "-", "-"), "nobody is trusted"


@pytest.mark.parametrize("form", ["json", "combined"])
def test_a_peer_cannot_forge_a_line(tmp_path, form):
    agents = [b'" 200 0 "-" "x', b"\\", b'\\"', b"\x80\xff\xfe", "\u202eevil\u2028\x85".encode(), b"x" * 5000, b"\t"]
    with logged(tmp_path, f"access_log={form}") as server:
        with connect(server.address) as client:
            for agent in agents:
                client.socket.sendall(b"GET /%0d%0afaked HTTP/1.1\r\nHost: a\r\nUser-Agent: " + agent + b"\r\n\r\n")
                assert client.answer().status == 404, agent
        lines = server.lines()
    assert len(lines) == len(agents)
    for line, agent in zip(lines, agents, strict=True):
        assert line.isprintable() and line.isascii()
        if form == "json":
            assert json.loads(line)["user_agent"] == agent.strip(b"\t").decode("utf-8", "replace")
            assert json.loads(line)["path"] == "/%0d%0afaked"
        else:
            assert COMBINED.fullmatch(line), line


def test_every_refusal_has_its_line(tmp_path):
    post = b"POST /upload?token=secret HTTP/1.1\r\nHost: a\r\n"
    handshake = b"GET /socket HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
    key = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    options = ("access_log=json", "max_body=1000", "header_timeout=0.5", "body_timeout=0.5")
    expected = []
    with logged(tmp_path, *options) as server:
        for request, status, method, path in [
            (b"GET / HTTP/1.1\r\n\r\n", 400, "", ""),
            (b"GET / HTTP/1.1\r\nHost: a\r\nA : b\r\n\r\n", 400, "", ""),
            (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 70_000 + b"\r\n\r\n", 431, "", ""),
            (b"GET / HTTP/1.1\r\nHost", 408, "", ""),
            (post + b"Content-Length: 1001\r\n\r\n", 413, "POST", "/upload"),
            (post + b"Transfer-Encoding: chunked\r\n\r\n3e9\r\n" + b"x" * 1001, 413, "POST", "/upload"),
            (post + b"Transfer-Encoding: chunked\r\n\r\nno\r\n", 400, "POST", "/upload"),
            (post + b"Content-Length: 10\r\n\r\nhalf", 408, "POST", "/upload"),
            (handshake + b"\r\n", 426, "GET", "/socket"),
            (handshake + b"Sec-WebSocket-Version: 13\r\n\r\n", 400, "GET", "/socket"),
            (handshake + key, 403, "GET", "/socket"),
            (b"DELETE /items/one HTTP/1.1\r\nHost: a\r\n\r\n", 405, "DELETE", "/items/one"),
            (b"GET /static/none HTTP/1.1\r\nHost: a\r\n\r\n", 404, "GET", "/static/none"),
            (b"GET /fails HTTP/1.1\r\nHost: a\r\n\r\n", 500, "GET", "/fails"),
        ]:
            with connect(server.address) as client:
                client.socket.sendall(request)
                assert client.answer().status == status, request[:100]
                expected.append((status, method, path))
                client.socket.sendall(b"x")
                client.socket.shutdown(socket.SHUT_RDWR)
        lines = [json.loads(line) for line in server.lines()]
    assert sorted((line["status"], line["method"], line["path"]) for line in lines) == sorted(expected)
    assert "secret" not in str(lines)
    for line in lines:
        assert line["client"] == "127.0.0.1"
        assert len(line["request_id"]) == (32 if line["method"] else 0)
        assert (line["bytes_in"] > 30) == bool(line["method"])
        assert 0 <= line["first_byte_seconds"] <= line["seconds"]
    slow = next(line for line in lines if (line["status"], line["method"]) == (408, "POST"))
    assert slow["seconds"] >= 0.4 and slow["bytes_in"] == len(post) + len("Content-Length: 10\r\n\r\nhalf")


def test_a_connection_that_is_turned_away_has_its_line(tmp_path):
    with logged(tmp_path, "access_log=json", "max_connections=1") as server:
        with connect(server.address) as client, connect(server.address) as another:
            assert client.get("/items/one").status == 200
            assert another.answer().status == 503
        lines = [(line["client"], line["path"], line["status"]) for line in map(json.loads, server.lines())]
    assert sorted(lines) == [("127.0.0.1", "", 503), ("127.0.0.1", "/items/one", 200)]


def test_every_request_has_the_id_that_its_handler_sees(tmp_path):
    """Those too that Python never sees, and none twice."""
    with logged(tmp_path, "access_log=json", "trusted_proxies=127.0.0.1") as server:
        with connect(server.address) as client:
            for path in ("/items/one", "/health/live", "/static/none"):
                client.get(path)
            client.get("/items/two", ("X-Request-ID", "given-by-a-proxy"))
            told = client.get("/missing").field("x-id")
        ids = [json.loads(line)["request_id"] for line in server.lines()]
    assert len(set(ids)) == 5 and set(map(len, ids)) == {32, 16}
    assert ids[3:] == ["given-by-a-proxy", told]


def test_paths_that_are_skipped_show_their_errors_only(tmp_path):
    with logged(tmp_path, "access_log=json", "access_log_skip=/health/live,/fails") as server:
        with connect(server.address) as client:
            client.get("/health/live?x")
            client.get("/items/one")
            client.get("/fails")
        lines = [(line["path"], line["status"]) for line in map(json.loads, server.lines())]
    assert lines == [("/items/one", 200), ("/fails", 500)]


def test_off(tmp_path):
    with logged(tmp_path, "access_log=off") as server:
        with connect(server.address) as client:
            assert client.get("/items/one").status == 200
        assert server.lines() == []


def test_a_reader_that_sleeps_holds_up_nobody(tmp_path):
    """More lines than pipe and buffer hold, and nobody reads: all are answered; later it is told what was lost."""
    count, batch = 12_000, 100
    agent = "x" * 1000
    with logged(tmp_path, "access_log=json") as server:
        with connect(server.address) as client:
            request = f"GET /items/one HTTP/1.1\r\nHost: a\r\nUser-Agent: {agent}\r\n\r\n".encode()
            for _ in range(count // batch):
                client.socket.sendall(request * batch)
                assert all(client.answer().status == 200 for _ in range(batch))
        lines = [json.loads(line) for line in server.lines()]
    told = [line["message"] for line in lines if "message" in line]
    written = sum("path" in line for line in lines)
    lost = sum(int(found.group(1)) for message in told if (found := re.search(r"(\d+) lines were lost", message)))
    assert told and lost, "14 MB of lines went into a pipe that nobody read"
    assert written + lost == count


def test_a_reader_that_has_gone_stops_nothing(tmp_path):
    with logged(tmp_path, "access_log=json") as server:
        assert server.process.stdout
        server.process.stdout.close()
        with connect(server.address) as client:
            for _ in range(200):
                assert client.get("/items/one").status == 200


def test_lines_of_many_connections_are_whole(tmp_path):
    clients, requests = 8, 200
    with logged(tmp_path, "access_log=json") as server:

        def work(number: int) -> None:
            with connect(server.address) as client:
                for each in range(requests):
                    client.get(f"/items/{number}-{each}")

        threads = [threading.Thread(target=work, args=(number,)) for number in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(DEADLINE)
        paths = [json.loads(line)["path"] for line in server.lines()]
    assert sorted(paths) == sorted(f"/items/{number}-{each}" for number in range(clients) for each in range(requests))
    for number in range(clients):
        own = [path for path in paths if path.startswith(f"/items/{number}-")]
        assert own == [f"/items/{number}-{each}" for each in range(requests)], "a connection's lines are in order"
