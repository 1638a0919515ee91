"""The parent: workers that die are replaced, and nothing but their own requests is lost."""

import os
import signal
from pathlib import Path

import pytest

from process_load import Load
from process_server import Server, fds, patched, threads
from waiting import until


def replaced(server: Server, dead: int) -> bool:
    """Is there another worker in place of this one? Both then serve: the parent starts none while it waits for one."""
    return dead not in server.workers() and len(server.workers()) == 2


def test_kill_under_load_loses_only_what_the_worker_had() -> None:
    with Server("--processes", "2") as server:
        clients = 20
        load = Load(server.port, clients, keep=5, bodies=True).start()
        until(lambda: load.result.answered > 300, "the load runs")
        for _ in range(3):
            dead = server.workers()[0]
            os.kill(dead, signal.SIGKILL)
            until(lambda dead=dead: replaced(server, dead), "a new worker")
            goal = load.result.answered + 300
            until(lambda goal=goal: load.result.answered > goal, "the load goes on")
        result = load.stop()
        assert result.crossed == []
        assert set(result.statuses) == {200}
        # Each client has one request in work at most, and half of the clients another worker.
        assert len(result.broken) + len(result.dropped) + result.repeated <= 3 * clients
        assert len(result.processes) >= 4, "the new workers answer too"
        assert "was killed by SIGKILL; the next one starts at once" in server.output


def test_what_waits_in_a_dead_workers_queue_is_answered() -> None:
    with Server("--processes", "2") as server:
        stopped = server.workers()[0]
        os.kill(stopped, signal.SIGSTOP)
        clients = [server.ask(f"/named/{number}", "Connection: close\r\n") for number in range(40)]
        os.kill(stopped, signal.SIGKILL)
        processes = set()
        for number, client in enumerate(clients):
            answer = b"".join(iter(lambda client=client: client.recv(65536), b""))
            name, process = answer.rpartition(b"\r\n\r\n")[2].split()
            assert name == str(number).encode()
            processes.add(int(process))
        assert len(processes) == 2, "by chance (1 in 10^12) no connection was in the queue"
        assert stopped not in processes


def test_the_parent_keeps_nothing_of_the_dead() -> None:
    with Server("--processes", "2") as server:
        before = fds(server.pid), threads(server.pid)
        nameless = signal.SIGRTMIN + 1
        for number in (*[signal.SIGKILL] * 4, nameless):
            dead = server.workers()[1]
            os.kill(dead, number)
            until(lambda dead=dead: replaced(server, dead), "a new worker")
        assert f"was killed by signal {nameless}; the next one starts" in server.output
        until(lambda: (fds(server.pid), threads(server.pid)) == before, "its descriptors and threads are as before")
        assert server.stop() == 0


def test_a_project_that_breaks_later_is_retried_with_growing_pauses(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    with Server("--processes", "2", SITE_DIES=str(broken)) as server:
        broken.touch()
        os.kill(server.workers()[0], signal.SIGKILL)
        until(lambda: server.said("ended with code 3; the next one starts in 0.4 s"), "the second pause")
        broken.unlink()
        until(lambda: len(server.workers()) == 2, "a new worker")
        load = Load(server.port, 8, keep=1).start()
        until(lambda: len(load.result.processes) == 2, "both serve")
        result = load.stop()
        assert (result.broken, result.dropped) == ([], [])


def test_it_gives_up_on_a_worker_that_keeps_dying(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    # However long it takes to fail.
    quick = patched("from django_rivet.server import supervisor; supervisor._BACK_OFF = 0.001; supervisor._STEADY = 0")
    with Server("--processes", "2", launcher=quick, SITE_DIES=str(broken)) as server:
        broken.touch()
        os.kill(server.workers()[0], signal.SIGKILL)
        assert server.end() == 1
        assert "9 times in a row: giving up" in server.output


def test_one_that_never_serves_is_killed_and_told_once() -> None:
    impatient = patched("from django_rivet.server import supervisor; supervisor._START_TIMEOUT = 0.1")
    with Server("--supervise", launcher=impatient, wait=False) as server:
        assert server.end() == 3
        assert server.output.count("worker 1 does not serve after 0.1 s: killing it.") == 1


def test_as_process_1_it_buries_strangers() -> None:
    subreaper = (
        "import ctypes, os, sys; assert ctypes.CDLL(None).prctl(36, 1) == 0;"  # PR_SET_CHILD_SUBREAPER
        "os.execv(sys.argv[1], sys.argv[1:])"
    )
    with Server("--processes", "2", launcher=subreaper) as server:
        workers = server.workers()
        assert server.get("/orphan")[0] == 200
        until(lambda: len(server.workers()) == 3, "the orphan is the parent's")
        until(lambda: server.workers() == workers, "it is buried when it ends")
        assert "worker" not in server.output
        assert server.stop() == 0


def test_workers_end_with_their_parent() -> None:
    with Server("--processes", "2") as server:
        workers = server.workers()
        os.kill(server.pid, signal.SIGKILL)
        until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers), "the workers end")


def test_a_signal_to_the_whole_group_still_drains(tmp_path: Path) -> None:
    """systemd signals all processes of a unit; the parent then hands its own on."""
    with Server("--processes", "2") as server:
        client = server.ask(f"/held/x?until={tmp_path / 'now'}")
        until(lambda: server.has_read(1), "it is in work")
        os.killpg(server.pid, signal.SIGTERM)
        until(lambda: server.refuses(), "it drains")
        (tmp_path / "now").touch()
        assert b"\r\n\r\nx " in b"".join(iter(lambda: client.recv(65536), b""))
        assert server.end() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_it_starts(number: int) -> None:
    with Server("--processes", "2", wait=False) as server:
        until(lambda: len(server.workers()) == 2, "the workers start")
        server.signal(number)
        assert server.end() == 0
        assert "Traceback" not in server.output


def test_sighup_replaces_the_workers_and_loses_nothing() -> None:
    with Server("--processes", "2") as server:
        old = set(server.workers())
        load = Load(server.port, keep=5, bodies=True).start()
        until(lambda: load.result.answered > 100, "the load runs")
        server.signal(signal.SIGHUP)
        until(lambda: server.said("all workers have been replaced"), "the new ones serve")
        until(lambda: len(server.workers()) == 2, "the old ones have ended")
        assert not old & set(server.workers())
        goal = load.result.answered + 100
        until(lambda: load.result.answered > goal, "the load goes on")
        result = load.stop()
        assert set(result.statuses) == {200}
        assert (result.crossed, result.broken, result.dropped) == ([], [], [])
        assert server.stop() == 0


def test_a_reload_that_fails_does_not_take_the_next_one_along() -> None:
    with Server("--supervise") as server:
        (old,) = server.workers()
        server.signal(signal.SIGHUP)
        new = until(lambda: set(server.workers()) - {old}, "the new one starts")
        server.signal(signal.SIGHUP)
        os.kill(new.pop(), signal.SIGKILL)
        until(lambda: server.said("before it could serve: the old ones go on"), "the first has failed")
        until(lambda: server.said("all workers have been replaced"), "the second is done")
        until(lambda: old not in server.workers(), "the old one has ended")


def test_sighup_with_a_broken_project_changes_nothing(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    with Server("--processes", "2", SITE_DIES=str(broken)) as server:
        old = server.workers()
        broken.touch()
        server.signal(signal.SIGHUP)
        until(lambda: server.said("the old ones go on"), "it is said")
        assert server.workers() == old
        assert server.stop() == 0
