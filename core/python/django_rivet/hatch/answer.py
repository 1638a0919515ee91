"""What a handler answers through its request, until a Django response carries it to the server."""

import asyncio
import enum
import logging
import os
import threading
from collections.abc import Callable
from tempfile import SpooledTemporaryFile

from django_rivet.hatch.fields import Fields, Given, bodiless, checked, content_length

logger = logging.getLogger("django_rivet")

PIECE = 64 << 10  # bytes


class Progress(enum.IntEnum):
    """How far an answer is."""

    WAITING = 0
    STARTED = 1
    ENDED = 2


class FilePart:
    """`count` bytes of a file from `offset` on, whatever others do with its descriptor meanwhile; owns `fd`."""

    def __init__(self, fd: int, offset: int, count: int) -> None:
        self._fd = fd
        self._offset = offset
        self.left = count

    def read(self) -> bytes:
        """The next piece, b"" at the end."""
        data = os.pread(self._fd, min(PIECE, self.left), self._offset)
        self._offset += len(data)
        self.left -= len(data)
        return data

    def close(self) -> None:
        """Closes the descriptor, once."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def gone() -> OSError:
    """What a handler gets that writes to a client who has gone."""
    return ConnectionError("the client has gone")


class Answer:
    """The half of a request that answers: `_core.Request` says what each method does.

    This one keeps a body that comes in parts until the handler has ended: in memory, or above `spool` bytes in a
    temporary file. It is for `def` handlers, which leave no thread free to send meanwhile.
    """

    def __init__(self, spool: int) -> None:
        self.progress = Progress.WAITING
        self.status = 0
        self.fields: Fields = []
        self.body: bytes | None = None
        self.file: FilePart | None = None
        self.begun = False
        self.aborted = False
        self.gone = False
        self.spooled: SpooledTemporaryFile[bytes] | None = None
        self._spool = spool
        self._left: int | None = None
        self._lock = threading.Lock()

    def respond(self, status: int, headers: Given, body: bytes) -> None:
        fields = checked(status, headers)
        self._advance(Progress.WAITING, Progress.ENDED, "this request has been answered already")
        self.status, self.fields, self.body = status, fields, body
        self._changed()

    def start(self, status: int, headers: Given) -> None:
        fields = checked(status, headers)
        left = content_length(fields)
        self._advance(Progress.WAITING, Progress.STARTED, "this request has been answered already")
        self.begun = True
        self.status, self.fields, self._left = status, fields, None if bodiless(status) else left
        self._changed()

    def write(self, data: bytes) -> bool:
        if self.progress != Progress.STARTED:
            raise RuntimeError("write() comes after start() and before end()")
        if self.gone:
            raise gone()
        if self._left is not None:
            self._left -= len(data)
            if self._left < 0:
                logger.warning("a body is longer than its Content-Length: the connection is cut")
                self.abort()
                return True
        return self._put(data)

    def end(self) -> None:
        self._advance(Progress.STARTED, Progress.ENDED, "end() comes once, after start()")
        if self._left:
            logger.warning("a body is shorter than its Content-Length: the connection is cut")
            self.aborted = True
        self._changed()

    def abort(self) -> None:
        self.progress = Progress.ENDED
        self.aborted = True
        self._changed()

    def send_file(
        self, status: int, headers: Given, path_or_fd: str | int, offset: int = 0, count: int | None = None
    ) -> None:
        fields = checked(status, headers)
        fd = os.dup(path_or_fd) if isinstance(path_or_fd, int) else os.open(path_or_fd, os.O_RDONLY)
        try:
            left = max(0, os.fstat(fd).st_size - offset)
            self._advance(Progress.WAITING, Progress.ENDED, "this request has been answered already")
        except BaseException:
            os.close(fd)
            raise
        self.status, self.fields = status, fields
        self.file = FilePart(fd, offset, left if count is None else min(count, left))
        self._changed()

    def drained(self) -> asyncio.Future[None]:
        future = asyncio.get_running_loop().create_future()
        if self.gone:
            future.set_exception(gone())
        else:
            future.set_result(None)
        return future

    def wait_drained(self, timeout: float) -> bool:
        if self.gone:
            raise gone()
        return True

    def on_disconnect(self, callback: Callable[[], None]) -> None:
        """A `def` handler's client is not watched."""

    def give_up(self) -> bool:
        """Has nobody answer any more; False when an answer has begun."""
        with self._lock:
            waits = self.progress == Progress.WAITING
            if waits:
                self.progress = Progress.ENDED
        return waits

    def _put(self, data: bytes) -> bool:
        if self.spooled is None:
            self.spooled = SpooledTemporaryFile(self._spool)  # noqa: SIM115  closed when it has been sent
        self.spooled.write(data)
        return True

    def _changed(self) -> None:
        """Called after each step."""

    def _advance(self, since: Progress, to: Progress, otherwise: str) -> None:
        with self._lock:
            if self.progress != since:
                raise RuntimeError(otherwise)
            self.progress = to
