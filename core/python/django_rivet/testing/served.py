"""The server of one client: started by its first request, in a thread of this process."""

import dataclasses
from typing import Any

from django_rivet import conf
from django_rivet.server.application import application
from django_rivet.server.thread import ServerThread
from django_rivet.testing.databases import Shared, Sharing
from django_rivet.testing.failures import Failures


class Served:
    """What runrivet would serve, with the options that the settings and `options` give.

    While a connection is shared there is one thread for blocking code, and none of it runs elsewhere: two threads must
    not use a connection at once.
    """

    def __init__(self, shared: Shared, options: dict[str, Any]) -> None:
        alone = {"workers": 1, "inline": "never"} if shared else {}
        chosen = {"access_log": "off", "graceful_timeout": 5.0, **alone, **options}
        self._options = dataclasses.replace(conf.read(), **chosen)
        self._sharing = Sharing(shared)
        self.failures = Failures()
        self._thread: ServerThread

    def start(self) -> None:
        """Raises what the project raises when it starts."""
        self._sharing.begin()
        self.failures.begin()
        try:
            given = dataclasses.asdict(self._options) | {"host": "127.0.0.1", "port": 0, "uds": ""}
            self._thread = ServerThread(application(self._options), **given).start()
        except BaseException:
            self._sharing.end()
            self.failures.end()
            raise

    def stop(self) -> None:
        """Ends requests in work first."""
        try:
            self._thread.stop()
        finally:
            self.failures.end()
            self._sharing.end()

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        return self._thread.host, self._thread.port
