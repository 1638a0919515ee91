"""The parent of the workers: starts them, replaces those that die, hang or have served enough, hands on signals."""

import os
import selectors
import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from types import FrameType

from django_rivet import conf
from django_rivet.server import CANNOT_START, say
from django_rivet.server.health import Health
from django_rivet.server.metrics import DIED, HUNG, RELOAD, Metrics
from django_rivet.server.notify import Notifier
from django_rivet.server.pulse import Parent
from django_rivet.server.reload import Watch
from django_rivet.server.rolling import KILL_AFTER, Rolling
from django_rivet.server.slot import Slot

# A worker that does not serve after so many seconds counts as one that cannot start.
_START_TIMEOUT = 120.0
# Deaths of one worker in a row, before it served or within a minute of its start, until the whole server gives up:
# whoever runs it (systemd, Docker) then sees it, and the queue of a dead worker's socket does not take connections for
# ever.
_DEATHS = 8
_STEADY = 60.0
_BACK_OFF = 0.2
_LONGEST_BACK_OFF = 10.0
# While developing, what an old worker has in work does not hold up the new one.
_CUT_AFTER = 2.0


def wanted(options: conf.Options) -> bool:
    """Is there something for a parent to do?"""
    return (
        options.processes > 1
        or options.supervise
        or options.reload
        or bool(options.max_requests or options.max_rss or options.lifetime)
        or "NOTIFY_SOCKET" in os.environ
    )


class Supervisor:
    """Runs a worker for each set of sockets until a signal ends it or the workers cannot be kept alive.

    SIGHUP: each worker is replaced by one with the code of now, which serves before the old one ends its requests.
    SIGTERM: workers end their requests first. SIGINT, or a second SIGTERM: they stop at once. One more kills them.
    """

    def __init__(
        self,
        command: Sequence[str],
        places: Sequence[Sequence[socket.socket]],
        options: conf.Options,
        ready: Callable[[], None],
        metrics: Metrics,
        *,
        own: bool,
    ) -> None:
        """own: as in `sockets.Listening`."""
        self._lifeline, self._lifeline_end = os.pipe()
        self._slots = [
            Slot(number, command, sockets, self._lifeline, metrics, own=own) for number, sockets in enumerate(places, 1)
        ]
        self._sockets = [each for sockets in places for each in sockets]
        self._drain_seconds = options.drain_delay + options.graceful_timeout
        self._metrics = metrics
        self._ready = ready
        self._serving = False
        self._code: int | None = None
        self._asked = 0
        self._signals: list[int] = []
        self._notifier = Notifier()
        self._rolling = Rolling(self._slots, self._start, self._notifier, metrics, drain_seconds=self._drain_seconds)
        self._health = Health(options, self._notifier)
        self._watch = Watch() if options.reload else None
        self._selector = selectors.DefaultSelector()

    def run(self) -> int:
        """Returns the exit code: 0 when told to stop, CANNOT_START, or 1 when workers kept dying."""
        wake, woken = socket.socketpair()
        for end in (wake, woken):
            end.setblocking(False)
        self._selector.register(woken, selectors.EVENT_READ)
        signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, self._on_signal)
        self._metrics.parent()
        for slot in self._slots:
            self._start(slot)
        while any(slot.pid for slot in self._all()) or self._code is None:
            for key, _ in self._selector.select(self._pause()):
                if key.data:
                    self._hear(key.data)
                else:
                    woken.recv(4096)
            self._obey()
            self._reap()
            self._look_after()
        return self._code or 0

    def _all(self) -> list[Slot]:
        successor = self._rolling.successor
        return [*self._slots, *self._rolling.retiring, *([successor] if successor else [])]

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._signals.append(number)

    def _start(self, slot: Slot) -> None:
        try:
            self._selector.register(slot.start(), selectors.EVENT_READ, slot)
        except OSError as error:
            self._died(slot, 0.0, f"could not be started ({error.strerror})")

    def _hear(self, slot: Slot) -> None:
        if slot.words is None:
            return
        try:
            words = slot.hear()
        except EOFError:
            self._hear_no_more(slot)
            return
        for word, more in words:
            if word == Parent.READY:
                self._is_ready(slot)
            elif word == Parent.ENOUGH:
                self._rolling.replace(slot, more)

    def _hear_no_more(self, slot: Slot) -> None:
        if slot.words is not None:
            self._selector.unregister(slot.words)
            slot.close()

    def _is_ready(self, slot: Slot) -> None:
        if slot is self._rolling.successor:
            self._rolling.take_over()
        elif not self._serving and all(each.ready for each in self._slots):
            self._serving = self._rolling.running = True
            self._ready()
            self._notifier.ready("Serving.")
            self._rolling.go_on()

    def _obey(self) -> None:
        """Acts on the signals that have come. Those to a group come to the workers too, and do no harm: see Signals."""
        while self._signals:
            number = self._signals.pop(0)
            # While developing it comes from a terminal that closes.
            if number == signal.SIGHUP and not self._watch:
                self._rolling.reload()
            elif number != signal.SIGCHLD:
                self._asked += 1 if number == signal.SIGTERM or self._asked else 2
                self._stop(0)

    def _stop(self, code: int) -> None:
        if self._code is None:
            self._code = code
            self._rolling.running = False
            self._notifier.stopping()
            for each in self._sockets:
                # The workers have theirs; a connection that only this copy took would never be answered.
                each.close()
            # Now a worker that is told to end knows that nobody takes its place.
            os.close(self._lifeline_end)
        number = {0: signal.SIGTERM, 1: signal.SIGTERM, 2: signal.SIGINT}.get(self._asked, signal.SIGKILL)
        patience = KILL_AFTER + (self._drain_seconds if number == signal.SIGTERM else 0)
        for slot in self._all():
            # A process that still starts knows no SIGINT yet, but KeyboardInterrupt, which it would explain at length.
            slot.signal(number if slot.ready or number == signal.SIGKILL else signal.SIGTERM)
            slot.kill_at = time.monotonic() + patience

    def _reap(self) -> None:
        """Buries the dead; as process 1 of a container those of strangers too."""
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            self._metrics.ended(pid, usage)
            for slot in self._all():
                if slot.pid == pid:
                    self._hear(slot)
                    self._hear_no_more(slot)
                    code = os.waitstatus_to_exitcode(status)
                    how = f"was killed by {_name(-code)}" if code < 0 else f"ended with code {code}"
                    self._died(slot, slot.ended(), how)

    def _died(self, slot: Slot, lived: float, how: str) -> None:
        if self._code is not None:
            return
        if slot in self._rolling.retiring:
            self._rolling.retiring.remove(slot)
            return
        if slot is self._rolling.successor:
            self._rolling.give_up(f"the new worker {slot.number} {how} before it could serve")
            return
        if self._watch and not slot.ready:
            say(f"worker {slot.number} {how} before it could serve; see above. The next change starts it anew.")
            return
        if not self._serving:
            say(f"worker {slot.number} {how} before it could serve; see above.")
            self._stop(CANNOT_START)
            return
        slot.deaths = 1 if slot.ready and lived > _STEADY else slot.deaths + 1
        if slot.deaths > _DEATHS:
            say(f"worker {slot.number} {how}, {slot.deaths} times in a row: giving up.")
            self._stop(1)
            return
        pause = 0 if slot.deaths == 1 else min(_BACK_OFF * 2 ** (slot.deaths - 2), _LONGEST_BACK_OFF)
        say(f"worker {slot.number} {how}; the next one starts {f'in {pause:g} s' if pause else 'at once'}.")
        slot.start_at = time.monotonic() + pause
        self._metrics.restarted(HUNG if slot.hung else DIED)

    def _start_anew(self, changed: str) -> None:
        say(f"{os.path.relpath(changed)} changed: starting anew.")
        if successor := self._rolling.successor:
            self._rolling.retire(successor, _CUT_AFTER)
        self._rolling.abandon()
        for place, old in enumerate(self._slots):
            self._rolling.retire(old, _CUT_AFTER)
            self._metrics.restarted(RELOAD)
            self._slots[place] = old.successor()
            self._start(self._slots[place])

    def _look_after(self) -> None:
        """Does what is due."""
        if self._watch and self._code is None and (changed := self._watch.changed()):
            self._start_anew(changed)
        now = time.monotonic()
        self._health.look([] if self._code is not None else self._slots, now)
        for slot in self._all():
            if slot.kill_at is not None and now >= slot.kill_at:
                slot.kill()
            if self._code is None and slot.start_at is not None and now >= slot.start_at:
                self._start(slot)
            elif slot.pid and not slot.ready and slot.kill_at is None and now >= slot.started + _START_TIMEOUT:
                say(f"worker {slot.number} does not serve after {_START_TIMEOUT:g} s: killing it.")
                slot.kill()

    def _pause(self) -> float:
        """Seconds until something is due."""
        return max(0.0, min(self._due()) - time.monotonic())

    def _due(self) -> Iterator[float]:
        yield self._health.look_at
        if self._watch:
            yield self._watch.look_at
        for slot in self._all():
            if slot.kill_at is not None:
                yield slot.kill_at
            if slot.start_at is not None and self._code is None:
                yield slot.start_at
            elif slot.pid and not slot.ready and slot.kill_at is None:
                yield slot.started + _START_TIMEOUT


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # one of the real-time signals, which have none
        return f"signal {number}"
