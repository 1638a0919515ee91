"""Native handlers on the engine: what they return, what they get, where they run."""

import asyncio
import contextlib
import contextvars
import http.client
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from django_rivet import API, Disconnected, Request, broadcast
from django_rivet.django.pool import Pool
from server import receive, serve, until

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"

INTERNAL = b'{"type":"about:blank","title":"Internal Server Error","status":500}'


class Point(msgspec.Struct):
    """Something that json does not know and msgspec does."""

    x: int
    y: int


@contextlib.contextmanager
def serving(api, **options):
    """Serves the routes of an API, with a pool of threads for those that block."""
    with ThreadPoolExecutor(4, "pool") as pool:

        def submit(job):
            pool.submit(job)
            return True

        def setup(reactor):
            reactor.pool(submit)
            reactor.native([(route.method, route.path, route.handler, route.kind) for route in api.routes])

        with serve(setup=setup, **options) as server:
            yield server


def request(server, method="GET", path="/", **arguments):
    connection = server.http()
    connection.request(method, path, **arguments)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response, body


KINDS = ["async", "suspends", "inline", "blocking", "learned"]


def declare(api, kind, path, result):
    """A handler of each kind that returns what `result` gives."""
    if kind == "async":

        @api.get(path)
        async def handler(**parameters):
            return result(**parameters)

    elif kind == "suspends":

        @api.get(path)
        async def handler(**parameters):
            await asyncio.sleep(0.001)
            return result(**parameters)

    else:

        @api.get(path, inline=kind == "inline", blocking=kind == "blocking")
        def handler(**parameters):
            return result(**parameters)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("value", "status", "content_type", "body"),
    [
        ({"a": [1, None, "ü"]}, 200, "application/json", '{"a":[1,null,"ü"]}'.encode()),
        ([], 200, "application/json", b"[]"),
        (Point(1, 2), 200, "application/json", b'{"x":1,"y":2}'),
        (1.5, 200, "application/json", b"1.5"),
        ("grüße", 200, "text/plain; charset=utf-8", "grüße".encode()),
        (b"\0\xff", 200, "application/octet-stream", b"\0\xff"),
        (None, 204, None, b""),
        (object(), 500, "application/problem+json", INTERNAL),
    ],
)
def test_what_handlers_return(kind, value, status, content_type, body):
    api = API()
    declare(api, kind, "/", lambda: value)
    with serving(api) as server:
        for _ in range(3):
            response, got = request(server)
            assert (response.status, response.headers["content-type"], got) == (status, content_type, body)


@pytest.mark.parametrize("kind", KINDS)
def test_path_parameters(kind):
    api = API("/shop")
    declare(api, kind, "/{a}/x/{b}", lambda a, b: [a, b])
    with serving(api) as server:
        for path, expected in {
            "/shop/1/x/2": b'["1","2"]',
            "/shop/caf%C3%A9/x/a%2Fb": '["café","a/b"]'.encode(),
            "/shop/a+b/x/-?q=1": b'["a+b","-"]',
        }.items():
            response, body = request(server, path=path)
            assert (response.status, body) == (200, expected)
        for path in ("/shop/1/x", "/shop/1/x/2/", "/shop//x/2", "/1/x/2", "/shop/%FF/x/2"):
            assert request(server, path=path)[0].status == 404


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_is_500_and_tells_nothing(kind):
    api = API()

    def fail():
        raise KeyError("secret detail")

    declare(api, kind, "/", fail)
    with serving(api) as server:
        for _ in range(2):
            response, body = request(server)
            assert (response.status, body) == (500, INTERNAL)


def test_head_options_and_other_methods():
    api = API()

    @api.get("/")
    async def read():
        return "hello"

    @api.post("/")
    async def write():
        return "written"

    with serving(api) as server:
        response, body = request(server, "HEAD")
        assert (response.status, response.headers["content-length"], body) == (200, "5", b"")
        assert request(server, "POST")[1] == b"written"
        response, _ = request(server, "DELETE")
        assert response.status == 405
        assert {"GET", "HEAD", "POST"} <= set(response.headers["allow"].split(", "))


@pytest.mark.parametrize("options", [{}, {"inline": True}, {"blocking": True}])
def test_def_handlers_get_the_request(options):
    api = API()

    @api.post("/{name}", **options)
    def handler(request: Request, name):
        return {
            "body": request.body.decode(),
            "method": request.method,
            "path": request.path,
            "query": request.query_string.decode(),
            "header": request.header("X-One"),
            "missing": request.header("X-Two"),
            "name": name,
            "length": request.content_length,
        }

    with serving(api) as server:
        for _ in range(12):  # more than a handler is measured for
            _, body = request(server, "POST", "/caf%C3%A9?a=b", body=b"text", headers={"X-One": "1"})
            assert msgspec.json.decode(body) == {
                "body": "text",
                "method": "POST",
                "path": "/café",
                "query": "a=b",
                "header": "1",
                "missing": None,
                "name": "café",
                "length": 4,
            }


def test_async_handlers_get_the_request_and_may_answer_themselves():
    api = API()

    @api.get("/{how}")
    async def handler(request: Request, how):
        if how == "later":
            await asyncio.sleep(0.001)
        request.respond(418, [("X-How", how)], b"by myself")

    with serving(api) as server:
        for how in ("now", "later"):
            response, body = request(server, path=f"/{how}")
            assert (response.status, response.headers["x-how"], body) == (418, how, b"by myself")


@pytest.mark.parametrize("how", ["returns", "raises", "waits"])
def test_a_stream_whose_client_leaves_leaves_nothing_behind(how):
    api = API()

    @api.get("/")
    async def handler(request: Request):
        request.start(200, [])
        try:
            while True:
                request.write(b"x")
                await asyncio.sleep(60 if how == "waits" else 0.005)
        except OSError:
            if how == "raises":
                raise

    with serving(api) as server:
        connection = server.raw(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        receive(connection, lambda data: b"x" in data.partition(b"\r\n\r\n")[2])
        connection.close()
        until(lambda: not server.stats()["in_flight"] and not server.stats()["connections"], "the end")


@pytest.mark.parametrize("how", ["raises", "forgets"])
def test_a_stream_that_its_handler_does_not_end_is_cut(how, caplog):
    api = API()

    @api.get("/")
    async def handler(request: Request):
        request.start(200, [])
        request.write(b"part")
        if how == "raises":
            raise KeyError("of the stream")

    with serving(api) as server:
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            request(server)
        assert ("of the stream" in caplog.text) == (how == "raises")


def test_work_after_the_answer_goes_on_whatever_becomes_of_the_connection(caplog):
    api = API()
    events = []

    @api.get("/")
    async def handler(request: Request):
        request.respond(200, [], b"done")
        await asyncio.sleep(0.05)
        events.append("worked")
        raise KeyError("after the answer")

    with serving(api) as server:
        assert request(server)[1] == b"done"
        until(lambda: events, "the work after the answer")
        until(lambda: "after the answer" in caplog.text, "the log")


def test_where_handlers_run():
    api = API()
    name = lambda: threading.current_thread().name.split("_")[0]  # noqa: E731
    for kind in ("async", "inline", "blocking"):
        declare(api, kind, f"/{kind}", name)
    with serving(api) as server:
        seen = {kind: request(server, path=f"/{kind}")[1] for kind in ("async", "inline", "blocking")}
    assert seen == {"async": b"engine", "inline": b"engine", "blocking": b"pool"}


def test_a_quick_handler_learns_to_run_on_the_loop_and_a_slow_one_leaves_it():
    api = API()
    slow = threading.Event()

    @api.get("/")
    def handler():
        if slow.is_set():
            time.sleep(0.02)
        return threading.current_thread().name.split("_")[0]

    with serving(api) as server:
        assert request(server)[1] == b"pool", "what nobody has measured does not run on the loop"
        until(lambda: request(server)[1] == b"engine", "it has learned")
        slow.set()
        for _ in range(2):  # one slow call is forgiven
            request(server)
        assert [request(server)[1] for _ in range(5)] == [b"pool"] * 5


@pytest.mark.parametrize(("inline", "thread"), [("never", b"pool"), ("always", b"engine")])
def test_the_option_inline_decides_where_handlers_run_that_would_learn(inline, thread):
    api = API()
    declare(api, "learned", "/", lambda: threading.current_thread().name.split("_")[0])
    with serving(api, inline=inline) as server:
        assert {request(server)[1] for _ in range(30)} == {thread}


def test_blocking_handlers_do_not_hold_up_the_others():
    api = API()
    release = threading.Event()
    declare(api, "blocking", "/slow", lambda: release.wait(10))
    declare(api, "async", "/quick", lambda: "quick")
    with serving(api) as server:
        slow = server.raw(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        for _ in range(5):
            assert request(server, path="/quick")[1] == b"quick"
        release.set()
        receive(slow, lambda data: data.endswith(b"true"))


def test_a_client_that_leaves_cancels_its_handler():
    api = API()
    events = []

    @api.get("/")
    async def handler():
        events.append("begun")
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            events.append("cancelled")
            raise

    with serving(api) as server:
        connection = server.raw(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        until(lambda: events, "the request")
        connection.close()
        until(lambda: events[-1] == "cancelled", "the end of the handler")


def test_a_client_that_leaves_while_its_call_waits_for_a_thread_is_forgotten():
    api = API()
    calls = []
    release = threading.Event()
    pool = Pool(1)

    @api.get("/", blocking=True)
    def handler():
        calls.append(release.wait(20))

    def setup(reactor):
        pool.start(asyncio.get_running_loop())
        reactor.pool(pool.submit)
        reactor.native([(route.method, route.path, route.handler, route.kind) for route in api.routes])

    with serve(setup=setup) as server, server.raw(GET) as first:
        until(lambda: pool.busy, "the first call")
        with server.raw(GET):
            until(lambda: server.stats()["in_flight"] == 2, "the second one waits")
        server.stats()  # a turn of the loop: it has been seen that its client has gone
        release.set()
        receive(first, lambda data: b" 204 " in data)
        until(lambda: not server.stats()["in_flight"], "nothing is in flight")
        first.close()
        until(lambda: not server.stats()["connections"], "no connection is left")
        pool.close()
    assert calls == [True]


def test_async_handlers_are_tasks():
    api = API()

    @api.get("/")
    async def handler():
        task = asyncio.current_task()
        try:
            async with asyncio.timeout(0.01):
                await asyncio.sleep(60)
        except TimeoutError:
            return task is asyncio.current_task() is not None

    with serving(api) as server:
        assert request(server)[1] == b"true"


@pytest.mark.parametrize("kind", KINDS)
def test_contexts_do_not_leak(kind):
    variable = contextvars.ContextVar("variable", default="clean")
    api = API()

    def result():
        before = variable.get()
        variable.set("dirty")
        return before

    declare(api, kind, "/", result)
    with serving(api) as server:
        connection = server.http()
        seen = set()
        for _ in range(30):
            connection.request("GET", "/")
            seen.add(connection.getresponse().read())
        connection.close()
        assert seen == {b"clean"}
        assert server.call(variable.get) == "clean"


@pytest.fixture
def sockets():
    """An API with a room of WebSockets, and who is in it."""
    api = API()
    room = []

    @api.websocket("/echo/{name}")
    async def echo(socket, name):
        socket.accept()
        await socket.send(name)
        while True:
            await socket.send(await socket.receive())

    @api.websocket("/room")
    async def join(socket):
        socket.accept()
        room.append(socket)
        try:
            while True:
                broadcast(room, await socket.receive())
        except Disconnected:
            room.remove(socket)

    @api.websocket("/denied")
    async def denied(socket):
        socket.deny(401, [("X-Why", "no")], b"go away")

    @api.websocket("/forgotten")
    async def forgotten(socket):
        pass

    @api.websocket("/fails")
    async def fails(socket):
        socket.accept()
        raise KeyError("secret detail")

    @api.websocket("/ends")
    async def ends(socket):
        socket.accept(headers=[("X-One", "1")])
        await socket.send("bye")

    with serving(api) as server:
        yield server, room


def test_an_echo(sockets):
    server, _ = sockets
    with connect(server.url("/echo/caf%C3%A9"), max_size=None) as client:
        assert client.recv(10) == "café"
        for message in ("text", b"bytes", "x" * 1_000_000):
            client.send(message)
            assert client.recv(10) == message
    until(lambda: not server.stats()["websockets"], "the end")


def test_a_broadcast(sockets):
    server, room = sockets
    clients = [server.open("/room") for _ in range(20)]
    until(lambda: len(room) == 20, "all members")
    clients[0].send("one for all")
    assert [client.recv(10) for client in clients] == ["one for all"] * 20
    clients.pop().close()
    until(lambda: len(room) == 19, "the leaver")
    clients[0].send(b"and all for one")
    assert [client.recv(10) for client in clients] == [b"and all for one"] * 19
    for client in clients:
        client.close()


@pytest.mark.parametrize(("path", "status"), [("/denied", 401), ("/forgotten", 403), ("/nowhere", 404)])
def test_handshakes_that_are_refused(sockets, path, status):
    with pytest.raises(InvalidStatus) as caught, connect(sockets[0].url(path)):
        pass
    assert caught.value.response.status_code == status


@pytest.mark.parametrize(("path", "code"), [("/fails", 1011), ("/ends", 1000)])
def test_the_end_of_a_handler_closes(sockets, path, code):
    with connect(sockets[0].url(path)) as client, pytest.raises(ConnectionClosed) as caught:
        client.recv(10)
        client.recv(10)
    assert caught.value.rcvd.code == code
