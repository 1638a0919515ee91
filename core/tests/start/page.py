"""docs/start.md as the steps that it asks for, and a terminal that takes them."""

import os
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

PAGE = Path(__file__).parents[2] / "docs/start.md"
BLOCK = re.compile(r"(.*?)^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PATIENCE = 100.0  # seconds
# Of the tools container, which a user does not have.
NOT_THEIRS = ("CARGO_", "DJANGO_", "PYTHON", "RIVET_", "VIRTUAL_ENV")


class Step(NamedTuple):
    """A block of the page and what is said before it."""

    said: str
    language: str
    text: str

    @property
    def file(self) -> str | None:
        """What the block is written to; `at the end` adds it."""
        found = re.search(r"(?:Write|at the end of) `([\w./]+)`[^`]*$", self.said)
        return found[1] if found and self.language not in ("sh", "") else None

    @property
    def serves(self) -> bool:
        """Does the command go on until somebody stops it?"""
        return "runrivet" in self.text and "--check" not in self.text

    def matches(self, output: str) -> bool:
        """Is this what the page shows? Three dots stand for anything."""
        pattern = re.escape(self.text.strip()).replace(re.escape("..."), ".*")
        return re.fullmatch(pattern, output.strip(), re.DOTALL) is not None


STEPS = [Step(*found) for found in BLOCK.findall(PAGE.read_text())]


class Terminal:
    """A shell in which one command after the other is typed, without anything of the tools container."""

    def __init__(self, folder: Path, **environment: str) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(NOT_THEIRS)}
        self.log = folder / f"terminal-{time.monotonic_ns()}.log"
        with open(self.log, "wb") as output:
            self.shell = subprocess.Popen(
                ["sh", "-e"],
                cwd=folder,
                env=kept | {"PATH": "/usr/bin:/bin", "HOME": str(folder)} | environment,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                bufsize=0,
                process_group=0,
            )
        self._read = 0

    @property
    def output(self) -> str:
        """What has come since the last command was typed."""
        return self.log.read_text()[self._read :]

    def type(self, text: str) -> None:
        self._read = len(self.log.read_text())
        assert self.shell.stdin
        self.shell.stdin.write(text.encode())

    def run(self, text: str) -> str:
        """What the commands print; all of them must succeed."""
        self.type(f"{text}\nprintf '\\n%s' '<done>'\n")
        self.wait("<done>")
        return self.output.removesuffix("<done>")

    def wait(self, text: str) -> None:
        end = time.monotonic() + PATIENCE
        while text not in self.output:
            assert self.shell.poll() is None, f"it failed: {self.output}"
            assert time.monotonic() < end, f"not after {PATIENCE:g} s: {text}: {self.output}"
            time.sleep(0.02)

    def interrupt(self) -> None:
        """Control-C, for the command that runs."""
        children = Path(f"/proc/{self.shell.pid}/task/{self.shell.pid}/children")
        for child in children.read_text().split():
            os.kill(int(child), signal.SIGINT)

    def close(self) -> None:
        os.killpg(self.shell.pid, signal.SIGKILL)
        self.shell.communicate()
