"""All kinds of handlers in one process, found by the project's settings."""

import json
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.sync.client import connect

from process_server import Server


def get(server: Server, path: str) -> bytes:
    status, body = server.get(path)
    assert status == 200, body
    return body


def test_native_handlers_beside_django() -> None:
    with Server() as server:
        assert json.loads(get(server, "/native/async/x")) == {"name": "x", "thread": "MainThread"}
        blocking = json.loads(get(server, "/native/blocking/y"))
        assert (blocking["name"], blocking["thread"][:11]) == ("y", "rivet-pool-")
        assert get(server, "/named/z").split()[0] == b"z"


def test_blocking_code_of_async_native_handlers_runs_side_by_side() -> None:
    with Server() as server, ThreadPoolExecutor() as threads:
        for name in threads.map(get, [server] * 2, ["/native/meet"] * 2):
            assert name.startswith(b"rivet-pool-")


def test_static_files(tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("a {}")
    with Server("--static", SITE_STATIC=str(tmp_path)) as server:
        assert get(server, "/static/a.css") == b"a {}"
        assert get(server, "/named/z").split()[0] == b"z"


def test_static_files_need_a_folder() -> None:
    with Server("--static", wait=False) as server:
        assert server.end() == 3
        assert "--static (RIVET_STATIC) needs STATIC_ROOT" in server.output


def test_an_asgi_application_and_its_lifespan() -> None:
    with Server(SITE_ASGI="site_asgi.application") as server:
        assert get(server, "/anything") == b"asgi /anything"
        assert json.loads(get(server, "/native/async/x"))["name"] == "x"
        assert server.stop() == 0
        assert server.lines.index("lifespan.startup") < server.lines.index("lifespan.shutdown")
        assert "Traceback" not in server.output


def test_a_lifespan_that_fails() -> None:
    with Server(SITE_ASGI="site_asgi.application", SITE_LIFESPAN_FAILS="startup", wait=False) as server:
        assert server.end() == 3
        assert "on purpose" in server.lines[-1]
    with Server(SITE_ASGI="site_asgi.application", SITE_LIFESPAN_FAILS="shutdown") as server:
        assert server.stop() == 0
        assert "runrivet: The application's shutdown failed: on purpose" in server.output


@pytest.mark.parametrize("path", ["/native/echo", "/asgi/echo"])
def test_websockets_origin_and_restart(path: str) -> None:
    with Server("--processes", "2", SITE_ASGI="site_asgi.application") as server:
        url = f"ws://127.0.0.1:{server.port}{path}"
        with pytest.raises(InvalidStatus, match="403"):
            connect(url, origin="https://evil.example")
        with connect(url, origin="http://127.0.0.1") as socket:
            socket.send("hello")
            assert socket.recv(timeout=30) == "hello"
            server.signal(signal.SIGTERM)
            with pytest.raises(ConnectionClosedError) as closed:
                socket.recv(timeout=30)
            assert closed.value.rcvd and closed.value.rcvd.code == 1012
        assert server.end() == 0
        assert "Traceback" not in server.output
