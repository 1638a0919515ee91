"""`runrivet --check` says what would run, and whether it can."""

import os
import socket
import subprocess
import sys

import pytest

from django_rivet.server import report
from process_server import PACKAGE, SITE


def check(*flags: str, **environment: str) -> tuple[int, str]:
    """Exit code and output."""
    done = subprocess.run(
        [sys.executable, "manage.py", "runrivet", "--check", *flags],
        cwd=SITE,
        env={**os.environ, "PYTHONPATH": str(PACKAGE), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout


def test_it_prints_what_would_run() -> None:
    environment = {"RIVET_WORKERS": "3", "RIVET_THREADS": "3", "SITE_INLINE": "never"}
    code, output = check("--port", "0", "--processes", "2", "--max-rss", "300M", **environment)
    assert code == 0, output
    for line in (
        "by 2 processes with 3 threads each for blocking code",
        "A process ends after 300 MiB of memory, 60 s without a turn",
        "Answers: 9 native routes, 7 URL patterns of Django",
        "  --max-rss 300M  by --max-rss",
        "  --workers 3  by RIVET_WORKERS",
        "runrivet: RIVET_THREADS in the environment is no option.",
        "  --inline never  by RIVET_INLINE of the Django settings",
    ):
        assert line in output
    assert "SIGTERM" not in output, "nothing has started"


def test_databases_and_asgi() -> None:
    environment = {"SITE_ASGI": "site_asgi.application", "SITE_DATABASE": ":memory:"}
    code, output = check("--port", "0", "--workers", "3", "--processes", "2", **environment)
    assert code == 0, output
    assert "Database default (sqlite): up to 4 connections of a process, 8 in all" in output
    assert "site_asgi.application for all other requests" in output


@pytest.mark.parametrize(
    ("flags", "environment", "line"),
    [
        (["--workers", "0"], {}, "--workers is '0'"),
        (["--compression", "rar"], {}, "--compression is 'rar': write off, or codings"),
        ([], {"RIVET_TRUSTED_PROXIES": "10.0.0.1/8"}, "RIVET_TRUSTED_PROXIES is '10.0.0.1/8': write addresses"),
        (["--host", "192.0.2.1"], {}, "--host (RIVET_HOST) 192.0.2.1 is no address of this machine"),
        ([], {"SITE_HOSTS": " "}, "ALLOWED_HOSTS is empty"),
        ([], {"SITE_URLS": "no_such_module"}, "no_such_module"),
        ([], {"SITE_ASGI": "no_such_module.application"}, "no_such_module"),
        (["--static"], {}, "STATIC_ROOT"),
        (["--skip-checks"], {"SITE_DIES": "/"}, "this project is broken on purpose"),
    ],
)
def test_it_says_why_it_could_not_start(flags: list[str], environment: dict[str, str], line: str) -> None:
    code, output = check("--port", "0", *flags, **environment)
    assert code == 3, output
    assert line in output


def test_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        code, output = check("--port", port)
    assert code == 3
    assert f"Port {port} of 127.0.0.1 is taken" in output


@pytest.mark.parametrize(
    ("options", "size"),
    [
        ({}, None),
        ({"pool": False}, None),
        ({"pool": True}, 4),
        ({"pool": {"min_size": 2}}, 2),
        ({"pool": {"min_size": 2, "max_size": 9}}, 9),
    ],
)
def test_connections_of_a_pool(options: dict[str, object], size: int | None) -> None:
    """https://www.psycopg.org/psycopg3/docs/api/pool.html: 4 by default, and as many at most as at least."""
    assert report._pool_size({"OPTIONS": options}) == size
