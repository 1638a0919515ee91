"""Workers are replaced one at a time: the next one serves before the old one is told to end."""

import signal
import time
from collections.abc import Callable

from django_rivet.server import say
from django_rivet.server.metrics import LIMIT, RELOAD, Metrics
from django_rivet.server.notify import Notifier
from django_rivet.server.slot import Slot

# A worker ends itself in time; one that cannot even do this is killed so many seconds later.
KILL_AFTER = 10.0


class Rolling:
    """Replaces members of `slots`, in that very list; `start` starts the process of a slot."""

    def __init__(
        self,
        slots: list[Slot],
        start: Callable[[Slot], None],
        notifier: Notifier,
        metrics: Metrics,
        *,
        drain_seconds: float,
    ) -> None:
        self.successor: Slot | None = None
        # The old ones that end their requests.
        self.retiring: list[Slot] = []
        # Whether the server serves: not before all workers do, and not when it has been told to stop.
        self.running = False
        self._slots, self._start, self._notifier = slots, start, notifier
        self._metrics = metrics
        self._drain_seconds = drain_seconds
        self._outdated: list[Slot] = []
        # A reload has been asked for; one is under way.
        self._asked = self._reloading = False

    def reload(self) -> None:
        """Replaces all. One that is under way ends first: its new workers may not have the code of now."""
        self._asked = True
        self.go_on()

    def replace(self, slot: Slot, why: str) -> None:
        """Replaces one that still serves, unless its turn comes anyhow."""
        if slot in self._slots and slot not in self._outdated:
            say(f"worker {slot.number} has {why}: the next one takes over.")
            self._outdated.append(slot)
            self.go_on()

    def go_on(self) -> None:
        """Starts the next successor, if there is anything to do."""
        if not self.running or self.successor:
            return
        if not self._outdated and self._reloading:
            self._reloading = False
            say("all workers have been replaced.")
            self._notifier.ready("Serving.")
        if not self._outdated and self._asked:
            self._asked, self._reloading = False, True
            self._notifier.reloading()
            self._outdated = list(self._slots)
        if self._outdated:
            self.successor = self._outdated[0].successor()
            self._start(self.successor)

    def take_over(self) -> None:
        """The successor serves."""
        assert self.successor
        old = self._outdated.pop(0)
        self._slots[self._slots.index(old)] = self.successor
        self.successor = None
        self._metrics.restarted(RELOAD if self._reloading else LIMIT)
        self.retire(old, self._drain_seconds + KILL_AFTER)
        self.go_on()

    def give_up(self, why: str) -> None:
        """The successor died. A reload that has been asked for since may have better code."""
        self.abandon()
        say(f"{why}: the old ones go on.")
        self._notifier.ready(f"{why}: the old ones go on.")
        self.go_on()

    def abandon(self) -> None:
        """Nobody is to be replaced any more."""
        self.successor = None
        self._outdated.clear()
        self._reloading = False

    def retire(self, old: Slot, patience: float) -> None:
        """Tells one to end its requests, and kills it when that takes longer than `patience` seconds."""
        if old.pid:
            self.retiring.append(old)
            old.signal(signal.SIGTERM)
            old.kill_at = time.monotonic() + patience
