"""New code, again and again, under load: what counts is reloads without a failed request."""

import signal
from collections.abc import Callable

import pytest

from process_load import Load, Result
from process_server import Server
from waiting import until

RELOADS = 20


def failures(result: Result) -> int:
    others = sum(count for status, count in result.statuses.items() if status != 200)
    return others + len(result.crossed) + len(result.broken) + len(result.dropped) + result.refused


@pytest.mark.timeout(600)
def test_reloads_under_load(record_property: Callable[[str, object], None]) -> None:
    right = 0
    with Server("--supervise", "--workers", "2") as server:
        load = Load(server.port, 8, keep=5, seconds=0.01, bodies=True).start()
        for count in range(1, RELOADS + 1):
            failed, goal = failures(load.result), load.result.answered + 50
            server.signal(signal.SIGHUP)
            until(lambda count=count: server.output.count("all workers have been replaced") == count, "a new worker")
            until(lambda goal=goal: load.result.answered > goal, "the load goes on")
            right += failures(load.result) == failed
        result = load.stop()
        until(lambda: len(server.workers()) == 1, "the old ones have ended")
        assert server.stop() == 0, server.output
    record_property("right", right)
    record_property("total", RELOADS)
    assert failures(result) == 0, result
    assert len(result.processes) >= RELOADS
