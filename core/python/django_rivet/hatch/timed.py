"""Blocking code with a bound of time: it cannot be interrupted, but who waits for it can go."""

import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import Future

from django.db import connections


def within[Result](seconds: float, work: Callable[[], Result]) -> Result:
    """Runs it on a thread of its own. Raises TimeoutError when it takes longer; it then ends by itself."""
    future: Future[Result] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)
        finally:
            connections.close_all()

    threading.Thread(target=contextvars.copy_context().run, args=(run,), name="rivet-timed", daemon=True).start()
    return future.result(seconds)
