"""Processes and sockets round the engine: the parent, its workers, and a worker in a thread for tests."""

import sys
from typing import Self

# A supervisor or Compose can tell "wrong configuration" from "died" (uvicorn's code too).
CANNOT_START = 3

# What may follow the last request (lifespan, threads, connections) has this many seconds until the process ends anyhow.
CLEAN_UP = 5.0


def say(line: str) -> None:
    """A line for the operator."""
    print(f"runrivet: {line}", file=sys.stderr, flush=True)


class CannotStart(Exception):
    """The server cannot start; the message says in one line why, and what to do. A cause is shown with traceback."""

    @classmethod
    def because(cls, what: str, error: Exception) -> Self:
        """For what the project's own code raised."""
        return cls(f"{what} failed: {type(error).__name__}: {error}")
