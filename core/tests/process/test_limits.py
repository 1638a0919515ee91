"""A process that has served enough is replaced by a new one, and no request is lost."""

import dataclasses
import time
from pathlib import Path

import pytest

from django_rivet import conf
from django_rivet.server import limits
from django_rivet.server.limits import Limits
from process_load import Load
from process_server import Server, patched
from waiting import until

# Processes are replaced as soon as they have reached a limit.
YOUNG = patched("from django_rivet.server import pulse; pulse._LEAST_AGE = 0")
COUNTS = pytest.mark.parametrize("processes", ["1", "2"])


def options(**chosen: float) -> conf.Options:
    return dataclasses.replace(conf.Options(), **chosen)


def test_each_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Limits(options()).reached(10**9) is None
    assert Limits(options(max_requests=5)).reached(4) is None
    assert Limits(options(max_requests=5)).reached(5) == "served 5 requests"
    used = limits.rss()
    assert Limits(options(max_rss=used * 2)).reached(0) is None
    assert Limits(options(max_rss=used // 2)).reached(0) == f"grown to {limits.rss() >> 20} MiB of memory"
    aging = Limits(options(lifetime=100.0))
    assert aging.reached(0) is None
    later = time.monotonic() + 100
    monkeypatch.setattr(limits.time, "monotonic", lambda: later)
    assert aging.reached(0) == "reached its lifetime"


def test_processes_differ_by_chance() -> None:
    jittered = [Limits(options(max_requests=100, max_requests_jitter=50)) for _ in range(200)]
    reached = [sum(each.reached(count) is not None for each in jittered) for count in (99, 100, 125, 150)]
    assert reached[0] == 0 and reached[1] < 30 and 50 < reached[2] < 150 and reached[3] == 200


@COUNTS
@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        (["--max-requests", "100", "--max-requests-jitter", "100"], "has served "),
        (["--lifetime", "1", "--lifetime-jitter", "1"], "has reached its lifetime"),
    ],
    ids=["requests", "lifetime"],
)
def test_under_load_nothing_is_lost(processes: str, flags: list[str], reason: str) -> None:
    with Server("--processes", processes, *flags, launcher=YOUNG) as server:
        load = Load(server.port, keep=5, bodies=True).start()
        until(lambda: len(load.result.processes) > 1 + int(processes), "processes are replaced, again and again")
        result = load.stop()
        assert set(result.statuses) == {200}
        assert (result.crossed, result.broken, result.dropped, result.refused) == ([], [], [], 0)
        assert reason in server.output
        assert server.stop() == 0
        assert "Traceback" not in server.output


def test_one_that_grows_is_replaced_alone() -> None:
    with Server("--processes", "2", "--max-rss", "250M", launcher=YOUNG) as server:
        before = set(server.workers())
        server.get("/native/grow/250")
        until(lambda: server.said("MiB of memory: the next one takes over"), "it has grown")
        until(lambda: len(set(server.workers()) - before) == 1 and len(server.workers()) == 2, "it is replaced")
        assert len(before & set(server.workers())) == 1


def test_a_limit_that_each_is_above_from_its_start_does_not_keep_the_machine_starting() -> None:
    old = patched("from django_rivet.server import pulse; pulse._LEAST_AGE = 4")
    with Server("--max-rss", "1M", launcher=old) as server:
        begun = time.monotonic()
        until(lambda: server.said("the next one takes over"), "it is replaced")
        assert time.monotonic() - begun > 2


def test_a_successor_that_cannot_start_is_tried_again(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    impatient = patched("from django_rivet.server import pulse; pulse._LEAST_AGE = 0; pulse._ASK_AGAIN = 0.1")
    with Server("--lifetime", "2", launcher=impatient, SITE_DIES=str(broken)) as server:
        before = server.workers()
        broken.touch()
        until(lambda: server.output.count("the old ones go on") > 1, "two have tried")
        assert server.workers()[:1] == before
        broken.unlink()
        until(lambda: not set(before) & set(server.workers()), "the third takes over")
        assert server.stop() == 0
