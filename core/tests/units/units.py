"""The units of deploy/, used as they are shipped; runs in a container as `run` beside this makes it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

CORE = Path(__file__).parents[2]
sys.path.insert(0, str(CORE / "tests/process"))

from process_load import Load, Result  # noqa: E402
from process_server import SITE  # noqa: E402
from waiting import until  # noqa: E402

DEPLOY = CORE / "deploy"
PROJECT = Path("/srv/project")
PORT = 8000
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(CORE / "python"), "RIVET_ACCESS_LOG": "off"}
AS_PROCESS_1 = "unshare --pid --fork --mount-proc /venv/bin/python manage.py runrivet".split()


def sh(*words: str, check: bool = True) -> str:
    done = subprocess.run(words, capture_output=True, text=True, timeout=90)
    assert not check or done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout.strip()


def shown(name: str) -> str:
    """A property of the service."""
    return sh("systemctl", "show", "--value", "--property", name, "rivet.service")


def main_pid() -> int:
    return int(shown("MainPID"))


def workers(parent: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


def check(result: Result) -> None:
    assert result.answered and set(result.statuses) == {200}
    assert (result.crossed, result.broken, result.dropped, result.refused) == ([], [], [], 0)


@pytest.fixture(scope="module", autouse=True)
def project() -> None:
    """Where the units look for it."""
    shutil.copytree(SITE, PROJECT)
    (PROJECT / ".venv").symlink_to("/venv")
    Path("/etc/rivet.env").write_text(f"PYTHONPATH={CORE / 'python'}\nRIVET_ACCESS_LOG=off\n")


@pytest.fixture
def systemd() -> Iterator[None]:
    for unit in ("rivet.service", "rivet.socket"):
        shutil.copy(DEPLOY / unit, "/etc/systemd/system")
    sh("systemctl", "daemon-reload")
    yield
    for unit in ("rivet.socket", "rivet.service"):
        sh("systemctl", "stop", unit)
    sh("systemctl", "reset-failed", check=False)


def test_systemd_finds_no_fault(systemd: None) -> None:
    assert sh("systemd-analyze", "verify", "rivet.service", "rivet.socket") == ""


def test_start_reload_under_load_and_stop(systemd: None) -> None:
    sh("systemctl", "start", "rivet")
    parent = main_pid()
    (before,) = workers(parent)
    assert Path(f"/proc/{before}").owner() == "www-data"
    load = Load(PORT, keep=5, bodies=True).start()
    for _ in range(3):
        # Returns when the new worker serves.
        sh("systemctl", "reload", "rivet")
        assert shown("ActiveState") == "active"
    until(lambda: len(load.result.processes) == 4, "the new workers answer")
    check(load.stop())
    assert main_pid() == parent
    until(lambda: len(workers(parent)) == 1, "the old ones have ended")
    assert before not in workers(parent)
    sh("systemctl", "stop", "rivet")
    assert (shown("Result"), shown("ExecMainStatus"), shown("ActiveState")) == ("success", "0", "inactive")


def test_the_socket_stays_while_the_service_restarts(systemd: None) -> None:
    sh("systemctl", "start", "rivet.socket")
    load = Load(PORT, 8, keep=1).start()  # the first one starts the service
    until(lambda: load.result.answered > 20, "it answers")
    before = main_pid()
    sh("systemctl", "restart", "rivet")
    until(lambda: len(load.result.processes) == 2, "the new one answers")
    check(load.stop())
    assert main_pid() != before


def test_a_worker_that_dies_is_replaced_by_the_parent(systemd: None) -> None:
    sh("systemctl", "start", "rivet")
    parent = main_pid()
    (before,) = workers(parent)
    os.kill(before, signal.SIGKILL)
    until(lambda: before not in workers(parent) and workers(parent), "the next worker")
    assert (main_pid(), shown("NRestarts")) == (parent, "0")


def test_the_watchdog_ends_a_parent_that_stands_still(systemd: None) -> None:
    # Two minutes are too long for a test; the pings follow what systemd asks for.
    folder = Path("/run/systemd/system/rivet.service.d")
    folder.mkdir(parents=True)
    (folder / "quick.conf").write_text("[Service]\nWatchdogSec=3\nTimeoutAbortSec=1\n")
    sh("systemctl", "daemon-reload")
    try:
        sh("systemctl", "start", "rivet")
        parent = main_pid()
        time.sleep(4)  # longer than the watchdog waits
        assert main_pid() == parent, "it is told that all is well"
        os.kill(parent, signal.SIGSTOP)
        until(lambda: shown("NRestarts") == "1" and shown("ActiveState") == "active", "it is started again")
        assert main_pid() != parent
        socket.create_connection(("127.0.0.1", PORT)).close()
    finally:
        shutil.rmtree(folder)
        sh("systemctl", "daemon-reload")


def test_what_cannot_start_is_not_tried_again(systemd: None) -> None:
    with socket.create_server(("127.0.0.1", PORT)):
        sh("systemctl", "start", "rivet", check=False)
        until(lambda: shown("ActiveState") == "failed", "it gives up")
    assert (shown("ExecMainStatus"), shown("NRestarts")) == ("3", "0")
    assert "is taken by another program" in sh("journalctl", "-u", "rivet", "-n", "5")


def test_supervisor() -> None:
    shutil.copy(DEPLOY / "supervisor.conf", "/etc/supervisor/conf.d/rivet.conf")
    sh("systemctl", "stop", "supervisor")  # Debian starts it
    daemon = subprocess.Popen(["supervisord", "-n", "-c", "/etc/supervisor/supervisord.conf"], env=ENVIRONMENT)
    try:
        until(lambda: "RUNNING" in sh("supervisorctl", "status", "rivet", check=False), "it runs")
        parent = int(sh("supervisorctl", "pid", "rivet"))
        until(lambda: len(workers(parent)) == 1, "it serves")
        (before,) = workers(parent)
        load = Load(PORT, keep=5, bodies=True).start()
        until(lambda: load.result.answered > 20, "it answers")
        sh("supervisorctl", "signal", "HUP", "rivet")
        until(lambda: len(load.result.processes) == 2, "the new worker answers")
        until(lambda: before not in workers(parent), "the old one ends")
        check(load.stop())
        sh("supervisorctl", "stop", "rivet")
        assert "STOPPED" in sh("supervisorctl", "status", "rivet", check=False)
        assert not Path(f"/proc/{parent}").exists()
    finally:
        daemon.terminate()
        daemon.wait(30)


def test_as_process_1() -> None:
    """Of a container without an init: it buries what others leave, and SIGTERM ends it."""
    inside = subprocess.Popen([*AS_PROCESS_1, "--supervise"], cwd=PROJECT, env=ENVIRONMENT)
    try:
        until(lambda: workers(inside.pid), "it starts")
        (first,) = workers(inside.pid)
        assert "NSpid:\t" in (status := Path(f"/proc/{first}/status").read_text())
        assert status.split("NSpid:\t")[1].split("\n")[0].split()[-1] == "1"
        until(lambda: answers("/named/x"), "it serves")
        serving = workers(first)
        assert answers("/orphan")
        until(lambda: len(workers(first)) == 2, "the orphan is its child")
        until(lambda: workers(first) == serving, "it is buried when it ends")
        os.kill(first, signal.SIGTERM)
        assert inside.wait(30) == 0
    finally:
        inside.kill()


def test_process_1_ends_while_it_starts() -> None:
    environment = {**ENVIRONMENT, "SITE_ASGI": "site_asgi.application", "SITE_LIFESPAN_WAITS": "yes"}
    inside = subprocess.Popen(AS_PROCESS_1, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert inside.stdout and any("lifespan.startup" in line for line in inside.stdout)
        (first,) = workers(inside.pid)
        os.kill(first, signal.SIGTERM)
        assert inside.wait(10) == 128 + signal.SIGTERM
    finally:
        inside.kill()


def answers(path: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{PORT}{path}", timeout=30) as answer:
            return answer.status == 200
    except OSError:
        return False
