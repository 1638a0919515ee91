"""Constant GETs at a modest rate, in the background; each failure is kept."""

import threading
import time
from types import TracebackType

import httpx

from visitor import Visitor

RATE = 20


class Steady(threading.Thread):
    def __init__(self, visitor: Visitor, path: str) -> None:
        super().__init__(daemon=True)
        self.visitor, self.path = visitor, path
        self.asked = 0
        self.failures: list[str] = []
        self.stopping = threading.Event()

    def run(self) -> None:
        begin = time.monotonic()
        while not self.stopping.wait(max(0, begin + self.asked / RATE - time.monotonic())):
            self.asked += 1
            sent = time.monotonic()
            try:
                status = self.visitor.get(self.path).status_code
                failure = "" if status == 200 else str(status)
            except httpx.HTTPError as error:
                failure = repr(error)
            if failure:
                self.failures.append(f"{sent - begin:.1f} s: {failure} after {time.monotonic() - sent:.1f} s")

    def __enter__(self) -> "Steady":
        self.start()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stopping.set()
        self.join(30)

    def assert_unharmed(self) -> None:
        assert self.asked > RATE, "hardly anything was asked"
        assert self.failures == [], f"{len(self.failures)} of {self.asked} failed"
