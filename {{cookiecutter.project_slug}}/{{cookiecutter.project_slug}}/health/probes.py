import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

from django.db import connections

KEEP_SECONDS = 1.0  # an answer serves all who ask meanwhile

Told = dict[str, Any]

logger = logging.getLogger(__name__)


class Probe:
    """A check in a thread of its own, made once for all who ask at the same time.

    One that hangs holds its thread and nobody else's, and no second one is started.
    """

    def __init__(self, check: Callable[[], Told]) -> None:
        self._check = check
        self._lock = threading.Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="health")
        self._future: Future[Told | None] | None = None
        self._ended = 0.0

    def start(self) -> "Future[Told | None]":
        """Return the check under way, or one that ended within the last second, or a new one."""
        with self._lock:
            if self._future is None or (self._future.done() and time.monotonic() - self._ended > KEEP_SECONDS):
                self._future = self._thread.submit(self._run)
            return self._future

    def _run(self) -> Told | None:
        try:
            return self._check()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told as "fail", and to the log by its name
            logger.warning("check of %s failed: %s", self._check.__name__, type(error).__name__)
            return None
        finally:
            connections.close_all()  # as after each request: the next check also shows that a login works
            self._ended = time.monotonic()


def ask(probes: Mapping[str, Probe], seconds: float) -> dict[str, Told | None]:
    """Return what the checks tell, all made at the same time; None for one that failed or is late."""
    futures = {name: probe.start() for name, probe in probes.items()}
    wait(futures.values(), seconds)
    return {name: future.result() if future.done() else None for name, future in futures.items()}
