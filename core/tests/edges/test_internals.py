"""An asyncio whose inner parts have other names: the engine serves without them, and says so."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from serving import DEADLINE

HERE = Path(__file__).parent
# What a later asyncio might do to its own sources; `none` is the asyncio that there is.
CHANGES: dict[str, tuple[str, list[tuple[str, str, str]]]] = {
    "none": ("", []),
    "queue": (
        "_ready and _scheduled",
        [("*.py", r"\b_ready\b", "_queue"), ("*.py", r"\b_scheduled\b", "_timers")],
    ),
    "wake": ("_write_to_self", [("*.py", r"\b_write_to_self\b", "_wake_up")]),
    "leave": (
        "_set_running_loop",
        [
            ("*.py", r"\b_set_running_loop\b", "_enter_loop"),
            ("events.py", r"(_asyncio import .*)_enter_loop", r"\1_set_running_loop as _enter_loop"),
        ],
    ),
    "coroutines": (
        "Task of any Coroutine",
        [("coroutines.py", r"(_COROUTINE_TYPES = \(types.CoroutineType).*", r"\1,)")],
    ),
    "futures": (
        "_asyncio_future_blocking",
        [
            ("*.py", r"\b_asyncio_future_blocking\b", "_future_blocking"),
            ("*.py", r"^(\s*)(import|from) _asyncio\b", r"\1raise ImportError; \2 _asyncio"),
        ],
    ),
}


def changed(folder: Path, changes: list[tuple[str, str, str]]) -> None:
    """A copy of asyncio with other sources."""
    copy = folder / "asyncio"
    shutil.copytree(Path(os.__file__).parent / "asyncio", copy, ignore=shutil.ignore_patterns("__pycache__"))
    for pattern, old, new in changes:
        found = 0
        for path in copy.glob(pattern):
            text, count = re.subn(old, new, path.read_text(), flags=re.MULTILINE)
            path.write_text(text)
            found += count
        assert found, f"asyncio has no {old}"


@pytest.mark.parametrize("name", CHANGES)
def test_the_server_serves(tmp_path: Path, name: str) -> None:
    said, changes = CHANGES[name]
    changed(tmp_path, changes)
    process = subprocess.Popen(
        [sys.executable, HERE / "internals_server.py"],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(
                [str(tmp_path), os.environ.get("PYTHONPATH", ""), str(HERE.parents[1] / "python"), str(HERE.parent)]
            ),
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        url = process.stdout.readline().strip()
        if url:
            ask(url)
    finally:
        _, errors = process.communicate("stop\n", timeout=DEADLINE)
    assert process.returncode == 0, errors
    lines = [line for line in errors.splitlines() if "asyncio of this Python" in line]
    assert len(lines) == bool(said) and all(said in line for line in lines), errors


def ask(url: str) -> None:
    """Each way in which handlers and views run."""
    with httpx.Client(base_url=url, timeout=DEADLINE) as client:
        for _ in range(3):
            for path in (
                "ready",
                "sleeps",
                "timers",
                "pool",
                "sync",
                "inline",
                "blocking",
                "settled",
                "cancelled",
                "view",
                "inline-view",
                "async-view",
            ):
                answer: Any = client.get(f"/{path}")
                assert (answer.status_code, answer.text) == (200, path), path
        assert client.get("/stream").content == b"x" * (4 << 20)
