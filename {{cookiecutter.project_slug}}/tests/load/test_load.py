"""50 connections for 20 seconds through nginx: no error, and how long they waited."""

import json
import os
from typing import Any

import stack
from visitor import Visitor

CONNECTIONS = 50
SECONDS = 20


def wrk(path: str, cookie: str) -> dict[str, Any]:
    """The cookie comes by environment: it stays off the command line."""
    os.environ["COOKIE"] = cookie
    output = stack.tool(
        "--entrypoint", "wrk", "tests",
        "--threads", 2, "--connections", CONNECTIONS, "--duration", SECONDS, "--timeout", "10s",
        "--script", "tests/load/wrk.lua", stack.URL + path, timeout=SECONDS + 60,
    )  # fmt: skip
    return json.loads(output.splitlines()[-1])


def assert_carried(path: str, cookie: str) -> None:
    result = wrk(path, cookie)
    print(f"\nload: {path:<14}", *(f"{name} {value:g}" for name, value in result.items()))
    assert result["requests"] > SECONDS * 10, "too slow to be alive"
    assert result["failed"] == 0


def test_page(member: Visitor) -> None:
    assert_carried("/", member.cookie)
