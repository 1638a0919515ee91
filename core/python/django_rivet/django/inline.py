"""Where a view runs: inline on the I/O thread, or on the pool. Measured per route (_core.Learnt), or declared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from django_rivet._core import Learnt

from .guard import LEAVES_LOOP

Mode = Literal["learn", "always", "never"]

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
    """The place of one view: fixed, or as it has been learnt."""

    __slots__ = ("_declared", "_fixed", "learnt")

    def __init__(self, mode: Mode, view: object = None) -> None:
        self._declared: bool | None = getattr(view, _DECLARED, None) if LEAVES_LOOP else False
        self._fixed = self._declared if self._declared is not None else {"always": True, "never": False}.get(mode)
        self.learnt = Learnt()

    @property
    def inline(self) -> bool:
        """Whether the next call is for the I/O thread."""
        return self.learnt.inline if self._fixed is None else self._fixed

    def block(self) -> None:
        """Keeps the view on the pool for good, unless it is declared: it does what never belongs on the I/O thread."""
        if self._declared is None and self._fixed is None:
            self._fixed = False
