"""A process whose I/O thread makes no turn is shown, killed and replaced; the others go on."""

import os
import signal
import time

from process_server import Server, patched
from waiting import until


def answerer(server: Server) -> int:
    return int(server.get("/named/x")[1].split()[1])


def test_the_one_that_hangs_is_replaced_and_the_others_go_on() -> None:
    with Server("--processes", "2", "--hang-timeout", "3") as server:
        before = set(server.workers())
        with server.ask("/native/hang/60"):
            until(lambda: server.has_read(1), "it hangs")
            # Some of these wait in the queue of the one that hangs, for its successor.
            answerers = {answerer(server) for _ in range(20)}
            until(lambda: len(server.workers()) == 2 and server.said("was killed by SIGABRT"), "it is replaced")
        after = set(server.workers())
        assert len(before & after) == 1, "the other is the same process"
        assert answerers == after, "all were answered"
        assert "made no turn for 3 s" in server.output
        assert 'site_app/api.py", line' in server.output and " in hang" in server.output, "its stack is shown"
        assert server.stop() == 0


def test_the_only_process_shows_where_it_hangs_and_ends() -> None:
    with Server("--hang-timeout", "1") as server, server.ask("/native/hang/60"):
        assert server.end() == 1
        assert " in hang" in server.output


def test_one_that_cannot_even_show_its_stack_is_killed() -> None:
    quick = patched("from django_rivet.server import health; health._SHOW = 0.1")
    with Server("--processes", "2", "--hang-timeout", "1", launcher=quick) as server:
        dead = server.workers()[0]
        os.kill(dead, signal.SIGSTOP)
        until(lambda: server.said("was killed by SIGKILL; the next one starts at once"), "it is killed")
        until(lambda: dead not in server.workers() and len(server.workers()) == 2, "it is replaced")


def test_when_all_stand_still_together_nobody_hangs() -> None:
    """As `docker pause` has it, or a machine that sleeps."""
    with Server("--processes", "2", "--hang-timeout", "2") as server:
        before = server.workers()
        os.killpg(server.pid, signal.SIGSTOP)
        time.sleep(4)  # longer than the time that a process may hang
        os.killpg(server.pid, signal.SIGCONT)
        assert answerer(server) in before
        time.sleep(1)  # the parent has looked again
        assert server.workers() == before
        assert "made no turn" not in server.output


def test_off() -> None:
    with Server("--hang-timeout", "0") as server, server.ask("/native/hang/1") as client:
        assert client.recv(65536).startswith(b"HTTP/1.1 204 ")
