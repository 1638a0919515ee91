"""Starting and stopping again and again, under load, leaves nothing behind."""

import gc
import os
import signal

import pytest

from django_rivet._core import Reactor, Request
from django_rivet.server.thread import ServerThread
from process_load import Load, Result
from process_server import LONG, Server, fds, rss, threads
from waiting import until


def check(result: Result) -> None:
    assert set(result.statuses) == {200}
    assert (result.crossed, result.broken, result.dropped) == ([], [], [])


@pytest.mark.parametrize("cycles", [5, pytest.param(100, marks=LONG)])
def test_processes_start_and_stop_under_load(cycles: int) -> None:
    for _ in range(cycles):
        with Server("--processes", "2", "--workers", "2") as server:
            load = Load(server.port, 8, keep=5, bodies=True).start()
            until(lambda load=load: load.result.answered > 50, "the load runs")
            server.signal(signal.SIGTERM)
            assert server.end() == 0, server.output
            check(load.join())
            assert "Traceback" not in server.output


@pytest.mark.parametrize("cycles", [100, pytest.param(1000, marks=LONG)])
def test_engines_start_and_stop_under_load_in_one_process(cycles: int) -> None:
    """What a start leaves behind shows where all are in one process."""

    def answer(request: Request) -> None:
        request.respond(200, [], f"{request.path.rpartition('/')[2]} 0".encode())

    def setup(reactor: Reactor) -> None:
        reactor.fallback(answer)

    def cycle() -> None:
        with ServerThread(setup) as server:
            load = Load(server.port, 4, keep=5).start()
            until(lambda: load.result.answered > 30, "the load runs")
            server.stop()
            check(load.join())

    for _ in range(10):
        cycle()
    gc.collect()
    me = os.getpid()
    before, memory = (fds(me), threads(me)), rss(me)
    for _ in range(cycles):
        cycle()
    gc.collect()
    assert (fds(me), threads(me)) == before
    assert (rss(me) - memory) / cycles < 20_000, "bytes left behind by each start"
