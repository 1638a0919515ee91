"""Replicas die, come and go; whoever asks does not notice."""

from contextlib import nullcontext
from importlib.util import find_spec
from typing import Any

import pytest

import stack
from steady import Steady
from visitor import Visitor

# The first process below the container's init, from inside: `docker kill` would count as a wish and not be restarted.
KILL_MAIN = """
import os, signal
from pathlib import Path
def parent(process):
    return int((process / "stat").read_text().rsplit(")")[-1].split()[1])
main = min(int(process.name) for process in Path("/proc").glob("[0-9]*") if parent(process) == 1)
os.kill(main, signal.SIGKILL)
"""
BACK_WITHIN = 60
SERVICE_RESTART = 1012


def crowd(member: Visitor) -> Any:
    """The example app has the only WebSocket; without it there is nobody to watch."""
    if not find_spec("orders_crowd"):
        return nullcontext()
    from orders_crowd import Crowd

    return Crowd(member, 30)


def hostnames() -> set[str]:
    return {stack.hostname_of(box) for box in stack.containers("web")}


@pytest.fixture(autouse=True)
def three_replicas() -> Any:
    yield
    stack.up("--no-recreate", "--scale", "web=3")


def test_killed_replica(member: Visitor) -> None:
    victim = stack.containers("web")[0]
    with crowd(member) as watching, Steady(member, "/") as asking:
        stack.docker("exec", victim["Id"], "python", "-c", KILL_MAIN)

        def back() -> bool:
            state = stack.inspect(victim["Id"])[0]["State"]
            return state["StartedAt"] > victim["State"]["StartedAt"] and state["Health"]["Status"] == "healthy"

        stack.wait_until("the killed replica is back and healthy", back, BACK_WITHIN)
        if watching:
            others = +watching.replicas
            del others[stack.hostname_of(victim)]
            assert others
            assert watching.answering() == others, "sockets of the other replicas stay open"
    asking.assert_unharmed()


def test_scaled_replicas(member: Visitor) -> None:
    before = hostnames()
    with crowd(member) as watching, Steady(member, "/") as asking:
        stack.up("--no-recreate", "--scale", "web=5")
        assert len(hostnames()) == 5
        stack.up("--no-recreate", "--scale", "web=2")
        left = hostnames() & before
        assert len(hostnames()) == 2
        if watching:
            assert watching.answering() == {name: watching.replicas[name] for name in left}
            assert watching.codes == {SERVICE_RESTART}, "the page knows that it may come again"
    asking.assert_unharmed()
