"""The engine: a compiled module. This file is its reference; `src/py/` is its source.

One process has one I/O thread. On it a `Reactor` is asyncio's selector: it polls the sockets, parses requests, calls
the Python handlers and sends their answers, and returns to asyncio only when asyncio has something to do.
All times are seconds, all sizes bytes.
"""

import asyncio
import contextvars
import os
import selectors
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, BinaryIO

from django_rivet.api.django_request import NativeRequest
from django_rivet.api.inside import Inside

type Fields = Iterable[tuple[str | bytes, str | bytes]]  # header fields in their order; str is Latin-1

class Reactor:
    """asyncio's selector and the HTTP engine of the thread that runs it.

    Use: `loop = asyncio.SelectorEventLoop(reactor)`, `reactor.attach(loop)`, set the handlers, then `listen`.
    """

    def __init__(self, options: dict[str, Any]) -> None:
        """Takes the engine's options (`conf.engine_options()`); what is left out has its default.

        Raises ValueError for an unknown key or a value of the wrong type or range.
        """

    def attach(self, event_loop: asyncio.AbstractEventLoop) -> list[str]:
        """Binds the reactor to the loop that runs on it. Call once, before `listen`.

        Returns the inner parts of asyncio that it knows and this one has not: `server.internals`.
        """

    def listen(self, fd: int) -> None:
        """Serves a bound, listening TCP or Unix socket. The descriptor is duplicated; the caller may close its own.

        Raises OSError when `fd` is no open socket, ValueError when it does not listen.
        """

    def native(
        self,
        routes: Sequence[
            tuple[str, str, Callable[..., Any], str]
            | tuple[str, str, Callable[..., Any], str, Callable[[Request, Any, Exception | None], Any]]
            | tuple[str, str, Callable[..., Any], str, Callable[[Request, Any, Exception | None], Any], dict[str, Any]]
        ],
        context: contextvars.Context | None = None,
    ) -> None:
        """Sets the native routes: tuples of (method, path pattern, handler, kind[, settle[, limits]]). Call before
        `listen`.

        A pattern has `{name}` for one path segment; the handler gets it percent-decoded as the keyword argument
        `name`. HEAD for each GET, and 405 with `Allow`, come by themselves.

        Kinds: `async` (a coroutine function), `inline` (a function that never blocks, called on the I/O thread),
        `pool` (a function that blocks, called on a pool thread), `sync` (a function that is measured on the pool
        first, and then called on the I/O thread while it stays quick, unless the option `inline` decides). With
        `+request` the handler gets the `Request` as its first positional argument.

        A handler returns bytes, str (`text/plain`), None (204) or anything that msgspec encodes as JSON.
        An exception is logged and answered with 500, and so is any other value.

        settle: does that instead, see `django_rivet.api.Route`; not called when the handler has answered by its
        request and raised. It also answers for every value of a handler that has used its request's session. A
        coroutine function wrapped by another function is told by the wrapper's attribute `__suspends__`, whether it
        may wait.

        limits: {"max_body": bytes or None, "timeout": seconds or 0, "compression": "", "plain": {"text": True, "bytes":
        True, "none": True}}, see `api.limits`: None, 0 and "" are as the options have it. What is not `plain` of str,
        bytes and None is for `settle`.

        context: each call on the I/O thread runs in a copy of it; None: of the loop's.

        Method `WEBSOCKET`: the handler is a coroutine function and gets the `WebSocket` as its first argument.
        When it returns, an open connection is closed with 1000; when it raises, with 1011, and before `accept`
        the handshake is answered with 403 or 500. Before that 500 its `settle` is called as `settle(socket, None,
        error)`, and says whether it has answered the handshake.

        Raises ValueError for a bad pattern, method or kind, and for two routes that take the same requests.
        """

    def cors(self, policy: dict[str, Any]) -> None:
        """Sets what native routes answer to other origins: `cors.Policy.engine()`. Call before `listen`."""

    def fallback(self, handler: Callable[[Request], object], *, stream_body: bool = False) -> None:
        """Sets who answers the requests that no native route takes; without one they get 404.

        The handler is called on the I/O thread with the loop set as the running one, in a fresh
        `contextvars.Context`. It must not block; it answers through the request, now or later. An exception that
        leaves it is logged and answered with 500.

        stream_body: False calls it when the whole body is there (in memory, or in an unlinked temporary file when
        larger than the option `spool`). True calls it after the head; the body comes from `Request.read`.
        """

    def websocket(self, handler: Callable[[WebSocket], object]) -> None:
        """Sets who takes the WebSocket handshakes that no native route takes; called as `fallback`'s handler is.

        Without one a handshake is an ordinary GET for `fallback`.
        """

    def pool(self, submit: Callable[[Job], object], tidy: Callable[[], object] | None = None) -> None:
        """Sets who runs native handlers that may block: `submit(job)` has another thread call `job()`, or calls
        `job.refuse()`. Without one they run on the I/O thread.

        tidy: called on the I/O thread after such handlers have run there: at once when one raised, else within a
        second. After a call on the pool it is called there.
        """

    def files(self, prefix: str, root: str, *, immutable: bool = False) -> None:
        """Serves the files under the folder `root` below the URL path `prefix`, without Python.

        immutable: names carry a hash of the content, so clients may keep a file for a year.
        """

    def waiter(self) -> Waiter:
        """A future for what another thread will do, on the I/O thread."""

    def waker(self) -> Waker:
        """Ends the reactor's sleep when called, on any thread: asyncio's queue has something new."""

    def refuse_new(self) -> None:
        """Whoever has not begun to connect is refused; who has is accepted. For who alone has the sockets.

        Linux leaves new TCP clients without an answer, so that they ask again a second later. Called some milliseconds
        before `drain`, it spares them to be let in and then reset by the end of the socket.
        """

    def drain(self) -> None:
        """Stops accepting; closes idle connections now, others after their answer, WebSockets with 1012."""

    def idle(self) -> bool:
        """Whether nothing is in flight and no connection is left: the end of a drain."""

    def stats(self) -> dict[str, int]:
        """Counters and gauges of this process: `connections`, `in_flight`, `websockets`, `requests`, ..."""

    def pool_meter(self) -> PoolMeter:
        """Who counts for the pool of threads."""

    def metrics(self) -> str:
        """The same and latency histograms, in Prometheus' text format."""

    # asyncio's part: https://docs.python.org/3/library/selectors.html#selectors.BaseSelector
    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey: ...
    def unregister(self, fileobj: Any) -> selectors.SelectorKey: ...
    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey: ...
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]: ...
    def get_key(self, fileobj: Any) -> selectors.SelectorKey: ...
    def get_map(self) -> Mapping[Any, selectors.SelectorKey]: ...
    def close(self) -> None: ...

class PoolMeter:
    """What the pool of threads has to tell; on any thread."""

    def waited(self, seconds: float) -> None:
        """A job has its thread, or is given up, after so long."""

    def refused(self) -> None:
        """A job got no thread."""

class Exporter:
    """The numbers of several processes, for Prometheus, by threads that need neither the GIL nor a worker."""

    def __init__(self) -> None: ...
    @staticmethod
    def page() -> int:
        """A new descriptor of shared memory to count in: a process gets it as the engine's option `metrics_fd`.

        Raises OSError.
        """

    def serve(self, fd: int) -> None:
        """Answers `GET /metrics` on a listening socket until this process ends; the descriptor is duplicated."""

    def began(self, name: str, pid: int, page: int | None = None) -> None:
        """A process has begun, and counts in `page`; without one only what the system knows of it is told.

        name: what it is told by, the label `worker`. A later process of the same name adds to it.
        """

    def ended(self, pid: int, cpu: float) -> None:
        """A process has ended after `cpu` seconds of CPU; what it had counted stays. One that is not known is fine."""

    def add(self, name: str, help: str, labels: Sequence[tuple[str, str]], more: float, *, gauge: bool = False) -> None:
        """Adds to a series that this process counts: it begins at 0."""

    def render(self) -> str:
        """All of it, in Prometheus' text format."""

class Waiter:
    """A future of the engine, made by `Reactor.waiter`: asyncio takes it for one of its own.

    It wakes the Task that waits for it in the engine's own turn.
    """

    def set_running_or_notify_cancel(self) -> bool:
        """Whether somebody still waits for it. As the next two it is for the thread that does the work."""

    def set_result(self, result: Any) -> None: ...
    def set_exception(self, exception: BaseException) -> None: ...

    # asyncio's part: https://docs.python.org/3/library/asyncio-future.html#asyncio.Future
    @property
    def _asyncio_future_blocking(self) -> bool: ...
    def add_done_callback(
        self, callback: Callable[[Waiter], object], *, context: contextvars.Context | None = None
    ) -> None: ...
    def remove_done_callback(self, callback: Callable[[Waiter], object]) -> int: ...
    def cancel(self, msg: Any = None) -> bool: ...
    def cancelled(self) -> bool: ...
    def done(self) -> bool: ...
    def result(self) -> Any: ...
    def exception(self) -> BaseException | None: ...
    def get_loop(self) -> asyncio.AbstractEventLoop: ...

class Waker:
    """Made by `Reactor.waker`."""

    def __call__(self) -> None: ...

class Request:
    """One HTTP request and the way to answer it. May be used from any thread, by one thread at a time.

    A request that is dropped without an answer is answered with 500.
    """

    def got_thread(self) -> None:
        """It has waited long enough for its thread: the access log tells how long."""

    def matched(self, pattern: str) -> None:
        """Says which of Django's URL patterns took it, without the slash in front, for metrics and the access log."""

    @property
    def method(self) -> str:
        """As sent: methods are case-sensitive (RFC 9110 9.1)."""
    @property
    def path(self) -> str:
        """Percent-decoded UTF-8; bytes that are not UTF-8 stay percent-encoded, as in Django's `request.path`."""
    @property
    def raw_path(self) -> bytes:
        """As sent, without the query."""
    @property
    def query_string(self) -> bytes:
        """As sent, without the question mark."""
    @property
    def http_version(self) -> str:
        """`1.0` or `1.1`."""
    @property
    def scheme(self) -> str:
        """`http` or `https`; https only by the word of a trusted proxy."""
    @property
    def client(self) -> tuple[str, int] | None:
        """Address and port of the client; behind a trusted proxy what it says, then with port 0. None: Unix socket."""
    @property
    def server(self) -> tuple[str, int | None]:
        """The local address and port, or the Unix socket's path and None."""
    @property
    def id(self) -> str:
        """The request id: a trusted proxy's `X-Request-ID`, else a new one. It is in the access log."""
    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """All fields in the order they came, names in lower case, as ASGI wants them. A new list each time."""
    @property
    def body(self) -> bytes:
        """The whole body; one in a temporary file is read whole. Not with `stream_body=True`."""
    @property
    def file(self) -> BinaryIO:
        """The whole body as a new seekable binary file, at its start. Not with `stream_body=True`.

        Of a body in a temporary file all files share one place: use one of them at a time. Close it.
        """
    @property
    def content_length(self) -> int | None:
        """The size of the body that was declared or, when it is there already, counted; None: not known yet."""
    @property
    def disconnected(self) -> bool:
        """Whether the client is known to have gone."""

    @property
    def django(self) -> NativeRequest:
        """Django's own request over this one, made on first use, for what needs one: `login(request.django, user)`.

        Its user and session are those below.
        """
    @property
    def session(self) -> Any:
        """Django's session, loaded when it is first looked into and saved with the answer.

        In an `async def` handler use its `aget`, `aset` ..., which do not block. Raises HTTPError (403) where a request
        that may change something fails Django's CSRF check, and SynchronousOnlyOperation in an `async def` handler
        where that check must read a form or the database: `asession`.
        """
    @property
    def user(self) -> Any:
        """Who the route's `auth` has found; without `auth` the session's user, loaded on first use. May be set.

        Raises as `session`; in an `async def` handler without `auth` it is to be awaited: `auser`.
        """
    @user.setter
    def user(self, user: Any) -> None: ...
    async def asession(self) -> Any:
        """`session` for `async def` handlers: the CSRF check reads a form, or the database, on a thread."""
    async def auser(self) -> Any:
        """`user` for `async def` handlers, likewise."""
    @property
    def _answered(self) -> bool:
        """Whether an answer has been given, or begun."""
    @property
    def _inside(self) -> Inside:
        """What `django`, `session` and `user` come from."""
    @property
    def _touched(self) -> bool:
        """Whether Django's middleware has to see the answer."""

    def meta(self) -> dict[str, Any]:
        """A new dict for `HttpRequest.META`: the keys and values that Django's ASGIRequest has.

        Fields whose name has an underscore are left out (CVE-2015-0219). SCRIPT_NAME is empty.
        """

    def header(self, name: str) -> str | None:
        """The value of a field; several are joined with commas, cookies with semicolons. None: not there."""

    def respond(self, status: int, headers: Fields, body: bytes) -> None:
        """Gives the whole answer at once.

        The engine adds Date, Content-Length and Connection, drops hop-by-hop fields and the body where HTTP has
        none (HEAD, 204, 304), and compresses where the options allow it. Does nothing when the client has gone.

        Raises ValueError for a status, name or value that HTTP cannot carry: nothing is sent, another answer may
        follow. Raises RuntimeError when an answer was given already.
        """

    def start(self, status: int, headers: Fields) -> None:
        """Starts an answer that comes in parts: chunked, or as long as the given Content-Length says.

        Raises as `respond` does.
        """

    def write(self, data: bytes) -> bool:
        """Sends a part of the body. False: more waits than the option `high_water`; wait with `drained`.

        Above the given Content-Length the connection is cut. Raises OSError when the client has gone, RuntimeError
        before `start` and after `end`.
        """

    def end(self) -> None:
        """Ends an answer that was started. Fewer bytes than the given Content-Length: the connection is cut.

        Raises RuntimeError before `start` and at the second call.
        """

    def abort(self) -> None:
        """Cuts the connection, so that the client sees that an answer failed half-way."""

    def send_file(
        self,
        status: int,
        headers: Fields,
        path_or_fd: str | os.PathLike[str] | int,
        offset: int = 0,
        count: int | None = None,
    ) -> None:
        """Answers with `count` bytes (None: all) of a file from `offset` on, sent by the kernel; `end` is not needed.

        A descriptor is duplicated. Raises OSError when the file cannot be opened, and as `respond` does.
        """

    def drained(self) -> Awaitable[None]:
        """Waits until no more than the option `high_water` is left to send. I/O thread only.

        Raises OSError when the client has gone.
        """

    def wait_drained(self, timeout: float) -> bool:
        """`drained` for other threads: blocks, without the GIL. False: the time ran out.

        Raises OSError when the client has gone.
        """

    def read(self) -> Awaitable[bytes]:
        """The next part of the body, b"" at its end. `stream_body=True` and I/O thread only.

        Nothing is read from the socket while nobody asks. Raises OSError when the client goes half-way, or the request
        is answered meanwhile; RuntimeError once it has been answered.
        """

    def on_disconnect(self, callback: Callable[[], object]) -> None:
        """Adds what is called, once, on the I/O thread, when the client goes before the answer's end.

        Soon, if it has gone already; never after the end.
        """

class WebSocket:
    """A WebSocket: first the handshake, to be answered with `accept` or `deny`, then the connection.

    I/O thread only. One task at a time may receive; any may send.
    """

    @property
    def path(self) -> str: ...
    @property
    def raw_path(self) -> bytes: ...
    @property
    def query_string(self) -> bytes: ...
    @property
    def http_version(self) -> str: ...
    @property
    def scheme(self) -> str:
        """`ws` or `wss`; wss only by the word of a trusted proxy."""
    @property
    def client(self) -> tuple[str, int] | None: ...
    @property
    def server(self) -> tuple[str, int | None]: ...
    @property
    def id(self) -> str: ...
    @property
    def headers(self) -> list[tuple[bytes, bytes]]: ...
    @property
    def user(self) -> Any:
        """Who the route's `auth` has found; None without one. May be set."""
    @user.setter
    def user(self, user: Any) -> None: ...
    @property
    def subprotocols(self) -> list[str]:
        """Those that the client offers, in its order."""
    @property
    def closed(self) -> bool:
        """Whether nothing more can be sent: denied, closed by either side, or lost."""
    @property
    def close_code(self) -> int:
        """Why: the code of the first close frame, 1005 without a code, 1006 for a lost connection; 0: not ended yet."""

    def header(self, name: str) -> str | None:
        """As `Request.header`."""

    def accept(self, subprotocol: str | None = None, headers: Fields | None = None) -> None:
        """Completes the handshake. Messages may be sent at once.

        Raises ValueError for a subprotocol that was not offered or a header that HTTP cannot carry, RuntimeError
        when the handshake was answered before, Disconnected when the client has gone.
        """

    def deny(self, status: int = 403, headers: Fields | None = None, body: bytes | None = None) -> None:
        """Answers the handshake with an HTTP response instead. Raises as `accept` does."""

    def receive(self) -> Awaitable[str | bytes]:
        """The next message. Nothing more is read from the socket while nobody asks and some wait.

        Raises Disconnected when the connection has ended, each time it is called.
        """

    def send(self, data: str | bytes) -> Awaitable[None]:
        """Sends a message now; the awaitable waits only while the peer does not keep up (`high_water`).

        Raises Disconnected when the connection has ended.
        """

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Starts the closing handshake; does nothing when closed already. Before `accept`: denies with 403.

        Raises ValueError for a code that must not be sent (RFC 6455 7.4) or a reason above 123 bytes.
        """

    def on_disconnect(self, callback: Callable[[int, str], object]) -> None:
        """Adds what is called once with code and reason when the connection has ended, soon if it has already."""

class Disconnected(OSError):
    """The peer of a WebSocket has gone."""

    code: int
    reason: str

def broadcast(sockets: Iterable[WebSocket], data: str | bytes) -> int:
    """Sends one message to many sockets, encoded once. Those that do not keep up are closed with 1013.

    Returns how many took it; closed sockets are passed over.
    """

def parse_query(query: bytes, names: dict[str, bool]) -> dict[str, Any]:
    """The values of these names in a query, decoded as Django's QueryDict does it.

    names: whether a name has a list of all its values, or its last one, a str. Names that are not there are left out.
    """

def suspends(function: Callable[..., Any]) -> bool:
    """Whether the coroutines of this function may wait: its code has an `await`, or its `__suspends__` says so."""

def parse_requests(data: bytes, limits: dict[str, int] | None = None) -> list[dict[str, Any]]:
    """The engine's own parser and framing over the bytes of one connection, for tests.

    A list of `{"method", "target", "path", "query", "host", "version", "headers", "body", "keep_alive",
    "expect_continue", "websocket"}`, ended by `{"error": status, "reason": text}` or
    `{"incomplete": True}` where the bytes call for it.
    """

class PanicException(BaseException):
    """A defect of the engine itself. One that gets as far as the engine ends one connection, with 500 where it can."""

class Learnt:
    """Learns where blocking code of one route runs: on the pool, or inline on the I/O thread while it is short there.

    The rule and its figures: `src/engine/learnt.rs`.
    """

    def __init__(self) -> None: ...
    @property
    def inline(self) -> bool:
        """Whether the next call is for the I/O thread."""
    def begin(self) -> None:
        """A call on the I/O thread begins."""
    def end(self) -> None:
        """It has ended."""
    def on_pool(self, wall: float, cpu: float) -> None:
        """A call on the pool took so many seconds, by the clock and of the thread's CPU time."""

class Job:
    """A native handler's call on its way to a thread. It is called or refused, exactly once, unless nobody wants it."""

    def __call__(self) -> None:
        """Runs the handler on this thread and hands the answer to the I/O thread."""
    def wanted(self) -> bool:
        """Whether somebody still waits for the answer."""
    def refuse(self) -> None:
        """There is no thread for it in time: answered with 503."""
