"""When a process has served enough and is to be replaced: requests, memory, time."""

import os
import random
import time
from pathlib import Path

from django_rivet import conf

_PAGE = os.sysconf("SC_PAGE_SIZE")


class Limits:
    """The limits of this process, each with its share of chance; 0: none."""

    def __init__(self, options: conf.Options) -> None:
        self._requests = options.max_requests and options.max_requests + random.randint(0, options.max_requests_jitter)
        self._rss = options.max_rss
        lifetime = options.lifetime and options.lifetime + random.uniform(0, options.lifetime_jitter)
        self._end = lifetime and time.monotonic() + lifetime

    def reached(self, requests: int) -> str | None:
        """What has been reached, to go on after "worker 1 has"; None while nothing has."""
        if self._requests and requests >= self._requests:
            return f"served {requests} requests"
        if self._rss and (used := rss()) >= self._rss:
            return f"grown to {used >> 20} MiB of memory"
        if self._end and time.monotonic() >= self._end:
            return "reached its lifetime"
        return None


def rss() -> int:
    """Bytes of memory that this process has in use, those that it shares with others too: proc_pid_statm(5)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE
