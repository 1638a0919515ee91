"""What systemd is told, and how often it wants to hear that we are well.

https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
https://www.freedesktop.org/software/systemd/man/latest/sd_watchdog_enabled.html
"""

import contextlib
import os
import socket
import time


class Notifier:
    """Tells who started us how it stands, when that is systemd or one that acts like it; else does nothing."""

    def __init__(self) -> None:
        # Taken out: what we start must not speak for us.
        address = os.environ.pop("NOTIFY_SOCKET", "")
        microseconds, pid = os.environ.pop("WATCHDOG_USEC", ""), os.environ.pop("WATCHDOG_PID", "")
        # "@" stands for the zero byte of an abstract name.
        self._address = address.replace("@", "\0", 1) if address.startswith("@") else address
        mine = pid in ("", str(os.getpid()))
        # A third of the time that systemd waits: one that comes late does no harm.
        self.ping_every = int(microseconds) / 3_000_000 if mine and microseconds.isdigit() else 0.0

    def ready(self, status: str) -> None:
        """After the start, and after each reload."""
        self._tell("READY=1", f"MAINPID={os.getpid()}", f"STATUS={status}")

    def reloading(self) -> None:
        """The time lets systemd tell this reload from an earlier one (Type=notify-reload)."""
        microseconds = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._tell("RELOADING=1", f"MONOTONIC_USEC={microseconds}", "STATUS=New workers start.")

    def stopping(self) -> None:
        self._tell("STOPPING=1", "STATUS=Requests in work end.")

    def status(self, line: str) -> None:
        self._tell(f"STATUS={line}")

    def ping(self) -> None:
        self._tell("WATCHDOG=1")

    def _tell(self, *lines: str) -> None:
        if self._address:
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                # One that takes nothing must not stop us.
                sender.setblocking(False)
                sender.sendto("\n".join(lines).encode(), self._address)
