"""Which tests sent a request through us: one line for each in the file that RIVET_COUNT names."""

from __future__ import annotations

import os
import unittest
from typing import Any

_count = 0


def sent() -> None:
    global _count
    _count += 1


def install() -> None:
    path = os.environ["RIVET_COUNT"]
    run = unittest.TestCase.run

    def counted(self: unittest.TestCase, result: Any = None) -> Any:
        before = _count
        try:
            return run(self, result)
        finally:
            if _count > before:
                # One short write to a file opened for appending: the processes of a parallel run do not mix lines.
                with open(path, "a") as file:
                    file.write(f"{_count - before} {self.id()}\n")

    unittest.TestCase.run = counted  # type: ignore[method-assign]
