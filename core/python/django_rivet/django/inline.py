"""Where a view runs: inline on the I/O thread, or on the pool. Measured per route, or declared.

The rule: a route starts on the pool. After `needed` quick requests in a row it goes inline, which saves the hand-over
(20-25 % of a small view, see docs). The first slow request inline sends it back, and twice as many quick ones are
needed the next time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

Mode = Literal["learn", "always", "never"]

QUICK = 0.001  # seconds of CPU time up to which a request on the pool is quick
WAITING = 0.0002  # seconds of waiting (wall minus CPU) up to which it hardly waits
SLOW = 0.002  # seconds of wall time from which a request inline is slow
FIRST_NEEDED = 8
MOST_NEEDED = 1024

_DECLARED = "_rivet_lane"


def inline[View: Callable[..., object]](view: View) -> View:
    """Declares that a view never blocks: it always runs on the I/O thread."""
    setattr(view, _DECLARED, True)
    return view


def blocking[View: Callable[..., object]](view: View) -> View:
    """Declares that a view may block: it always runs on the pool."""
    setattr(view, _DECLARED, False)
    return view


class Lane:
    """The place of one view, and what has been learned of it. Used on any thread; a lost update costs one sample."""

    __slots__ = ("fixed", "inline", "needed", "streak")

    def __init__(self, mode: Mode, view: object = None) -> None:
        declared: bool | None = getattr(view, _DECLARED, None)
        self.fixed = declared is not None or mode != "learn"
        self.inline = declared if declared is not None else mode == "always"
        self.streak = 0
        self.needed = FIRST_NEEDED

    def block(self) -> None:
        """Keeps the view on the pool for good, unless it is declared: it does what never belongs on the I/O thread."""
        if not self.fixed:
            self.fixed, self.inline = True, False

    def took_inline(self, wall: float) -> None:
        if wall > SLOW and not self.fixed:
            self.inline = False
            self.streak = 0
            self.needed = min(self.needed * 2, MOST_NEEDED)

    def took_on_pool(self, wall: float, cpu: float, *, alone: bool) -> None:
        """`alone`: no other thread of the pool was busy, so waiting was not for the GIL."""
        if self.fixed:
            return
        if cpu <= QUICK and wall - cpu <= WAITING:
            self.streak += 1
            self.inline = self.inline or self.streak >= self.needed
        elif alone or cpu > QUICK:
            self.streak = 0
