"""Runs one case: rounds in which each server is measured once, in an order that is reversed every other round."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from harness import postgres, requests
from harness.cases import Case, Http, Memory, Sockets
from harness.link import Failed, Link

type Sample = dict[str, float]
type Samples = dict[str, list[Sample]]
type Progress = Callable[[str], None]
# Memory hardly differs from start to start.
MEMORY_ROUNDS = 3
SETTLE = 1.0
# Before the first round: connections to the database, caches, what a server learns.
WARM = 1.0


def run(case: Case, rounds: int, seconds: float, progress: Progress) -> Samples:
    """The samples of each server, one a round. Raises Failed."""
    if case.postgres:
        postgres.start()
    link = Link(case.where)
    if isinstance(case.load, Memory) or (isinstance(case.load, Sockets) and case.load.kind == "idle"):
        return _memory(case, link, min(rounds, MEMORY_ROUNDS), progress)
    return _speed(case, link, rounds, seconds * case.seconds, progress)


@contextmanager
def _running(link: Link, names: list[str]) -> Iterator[dict[str, int]]:
    """Starts them and gives their ports."""
    ports = {name: 8001 + number for number, name in enumerate(names)}
    started = []
    try:
        for name, port in ports.items():
            link.start(name, port)
            started.append(name)
        for name, port in ports.items():
            try:
                requests.wait_until_up(link, name, port)
            except Failed as failed:
                raise Failed(f"{failed}\n{link.log(name)}") from None
        yield ports
    finally:
        for name in started:
            link.stop(name)


def _speed(case: Case, link: Link, rounds: int, seconds: float, progress: Progress) -> Samples:
    samples: Samples = {name: [] for name in case.servers}
    with _running(link, case.servers) as ports:
        for name, port in ports.items():
            progress(f"warm-up {name}")
            _sample(name, _command(case, name, port, WARM, link.cpu), link)
        commands = {name: _command(case, name, port, seconds, link.cpu) for name, port in ports.items()}
        for number in range(rounds):
            for name in case.servers if number % 2 == 0 else reversed(case.servers):
                progress(f"round {number + 1}/{rounds} {name}")
                link.truncate(name)
                samples[name].append(_sample(name, commands[name], link))
        if isinstance(case.load, Http):
            for name, port in ports.items():
                requests.prepare(name, case.load, port)
    return samples


def _command(case: Case, name: str, port: int, seconds: float, cpu: str) -> list[str]:
    common = ["--address", f"127.0.0.1:{port}", "--seconds", str(seconds), "--cpu", cpu]
    load = case.load
    if isinstance(load, Sockets):
        sizes = ["--depth", str(load.depth), "--connections", str(load.connections)]
        return ["load", load.kind, *common, "--path", f"/ws/{load.kind}", *sizes]
    assert isinstance(load, Http)
    prepared = requests.prepare(name, load, port)
    sizes = ["--depth", str(load.depth), "--connections", str(load.connections), "--rate", str(load.rate)]
    return ["load", "http", *common, *sizes, *prepared]


def _sample(name: str, command: list[str], link: Link) -> Sample:
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise Failed(f"{name}: {done.stderr.strip()}\n{link.log(name)}")
    result = json.loads(done.stdout)
    if result["wrong"] or result["broken"]:
        counts = f"{result['wrong']} wrong answers, {result['broken']} broken connections"
        raise Failed(f"{name}: {counts}\n{link.log(name)}")
    count = result.get("deliveries") or sum(latency["count"] for latency in result["latency"])
    if not count:
        raise Failed(f"{name}: no answer in {result['seconds']} s\n{link.log(name)}")
    first = result["latency"][0]
    return {
        "rate": count / result["seconds"],
        "work": count / result["cpu"] * 1e6,
        "cpu": result["cpu"] / count,
        "p50": first["p50"] / 1000,
        "p99": first["p99"] / 1000,
        "busy": result["busy"],
    }


def _memory(case: Case, link: Link, rounds: int, progress: Progress) -> Samples:
    samples: Samples = {name: [] for name in case.servers}
    for number in range(rounds):
        for name in case.servers:
            progress(f"round {number + 1}/{rounds} {name}")
            with _running(link, [name]) as ports:
                measure = _resident if isinstance(case.load, Memory) else _idle
                samples[name].append(measure(case, name, ports[name], link))
    return samples


def _resident(case: Case, name: str, port: int, link: Link) -> Sample:
    assert isinstance(case.load, Memory)
    for path in case.load.paths:
        prepared = requests.prepare(name, Http(path), port)
        command = ["load", "http", "--address", f"127.0.0.1:{port}", "--seconds", "1", "--cpu", link.cpu, *prepared]
        _sample(name, command, link)
    memory = link.ask("memory", name=name)
    return {"memory": memory["resident"] / 1024, "share": memory["share"] / 1024}


def _idle(case: Case, name: str, port: int, link: Link) -> Sample:
    """KiB of proportional share (PSS) that each socket adds; the kernel's socket buffers are not in it."""
    assert isinstance(case.load, Sockets)
    # What the first sockets load is not what each one costs.
    where = ["--address", f"127.0.0.1:{port}", "--path", "/ws/echo"]
    first = ["load", "echo", *where, "--connections", "10", "--seconds", "0.5"]
    subprocess.run(first, check=True, capture_output=True, timeout=30)
    time.sleep(SETTLE)
    before = link.ask("memory", name=name)
    count = case.load.connections
    command = ["load", "idle", *where, "--connections", str(count)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        if process.stdout.readline() != "open\n":
            raise Failed(f"{name}: {count} sockets could not be opened\n{link.log(name)}")
        time.sleep(SETTLE)
        after = link.ask("memory", name=name)
        output, _ = process.communicate(timeout=30)
    broken = json.loads(output)["broken"]
    if broken:
        raise Failed(f"{name}: {broken} idle sockets were closed")
    return {"memory": (after["share"] - before["share"]) / count, "share": after["share"] / 1024}
