"""Exceptions of handlers and views, for the test to raise."""

import logging
import sys
from typing import Any

from django.core.signals import got_request_exception


class Failures(logging.Handler):
    """Collects, from `begin` to `end`, what the engine logs about native handlers and Django signals about views."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._found: list[BaseException] = []

    def begin(self) -> None:
        logging.getLogger("django_rivet").addHandler(self)
        got_request_exception.connect(self._signalled)

    def end(self) -> None:
        logging.getLogger("django_rivet").removeHandler(self)
        got_request_exception.disconnect(self._signalled)

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[1] is not None:
            self._found.append(record.exc_info[1])

    def _signalled(self, **_: Any) -> None:
        if (error := sys.exception()) is not None:
            self._found.append(error)

    def forget(self) -> None:
        """A new request begins."""
        self._found.clear()

    def throw(self) -> None:
        """Raises the first one, if there is any."""
        if self._found:
            error = self._found[0]
            self._found.clear()
            raise error
