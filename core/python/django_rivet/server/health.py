"""Do the workers' loops turn? One that does not is killed, and systemd hears that there is one that does."""

import signal
import time
from collections.abc import Sequence

from django_rivet import conf
from django_rivet.server import pulse, say
from django_rivet.server.notify import Notifier
from django_rivet.server.slot import Slot

# Seconds from the signal that shows the stacks to the one that no process survives.
_SHOW = 5.0
# A worker that has been silent for so long (seconds) says nothing good of the whole.
_SILENT = 3.0


class Health:
    """Looks at the workers each second."""

    def __init__(self, options: conf.Options, notifier: Notifier) -> None:
        self._hang_timeout = options.hang_timeout
        self._notifier = notifier
        self._interval = min(pulse.interval(options), notifier.ping_every or 1.0)
        self._looked = self._pinged = time.monotonic()

    @property
    def look_at(self) -> float:
        """When to look again."""
        return self._looked + self._interval

    def look(self, workers: Sequence[Slot], now: float) -> None:
        """workers: those that are meant to serve."""
        serving = [worker for worker in workers if worker.pid and worker.ready and worker.kill_at is None]
        if now - self._looked > self._interval + 1:
            # We could not look ourselves (docker pause, a machine that slept): neither could they beat.
            for worker in serving:
                worker.beaten = now
        self._looked = now
        for worker in serving:
            if self._hang_timeout and now - worker.beaten > self._hang_timeout:
                say(f"worker {worker.number} made no turn for {self._hang_timeout:g} s: here is where it hangs.")
                # faulthandler shows the stacks, then the process dies of it.
                worker.hung = True
                worker.signal(signal.SIGABRT)
                worker.kill_at = now + _SHOW
        every = self._notifier.ping_every
        # While none serves, one is being started, or we give up.
        well = not serving or any(now - worker.beaten < _SILENT for worker in serving)
        if every and well and now - self._pinged >= every:
            self._pinged = now
            self._notifier.ping()
