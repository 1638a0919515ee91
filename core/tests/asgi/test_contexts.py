"""Context variables never pass from one request or socket to another, whatever path the answer takes."""

import asyncio
import contextvars
from concurrent.futures import ThreadPoolExecutor

from asgiref.local import Local

from server import get, serve
from test_http import answer, only_http
from test_websocket import accept, only_websocket

variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable")
local = Local()


def state() -> str:
    return f"{variable.get('clean')} {getattr(local, 'value', 'clean')}"


def mark(value: str) -> None:
    variable.set(value)
    local.value = value


@only_http
async def application(scope, receive, send):
    before = state()
    mark(scope["path"])
    if "receive" in scope["path"]:
        await receive()
    if "sleep" in scope["path"]:
        await asyncio.sleep(0.002)
    if "task" in scope["path"]:
        await asyncio.create_task(asyncio.sleep(0.001))
    assert state() == f"{scope['path']} {scope['path']}"
    if "fail" in scope["path"]:
        raise RuntimeError(before)
    await answer(body=before.encode())(scope, receive, send)
    mark("after")


def test_http_requests_do_not_see_each_other():
    paths = ["/", "/receive", "/sleep", "/receive/sleep", "/task", "/fail", "/sleep/fail"]

    def client(number: int) -> set[bytes]:
        seen = set()
        connection = server.http()
        for count in range(30):
            path = paths[(number + count) % len(paths)]
            connection.request("POST", path, body=b"x")
            body = connection.getresponse().read()
            if "fail" not in path:
                seen.add(body)
        connection.close()
        return seen

    with serve(application) as server, ThreadPoolExecutor(8) as pool:
        assert set().union(*pool.map(client, range(8))) == {b"clean clean"}


def test_websockets_do_not_see_each_other():
    @only_websocket
    async def sockets(scope, receive, send):
        before = state()
        mark(scope["path"])
        await accept(receive, send)
        await send({"type": "websocket.send", "text": before})
        while (message := await receive())["type"] == "websocket.receive":
            await asyncio.sleep(0)
            await send({"type": "websocket.send", "text": state()})
            assert message["text"]

    with serve(sockets) as server:
        clients = [server.open(f"/{number}") for number in range(20)]
        for client in clients:
            assert client.recv(10) == "clean clean"
            client.send("state")
        for number, client in enumerate(clients):
            assert client.recv(10) == f"/{number} /{number}"
            client.close()


def test_nothing_leaks_into_the_loop():
    """The spike's first trap: what one request sets must not be there for callbacks of the loop itself."""
    with serve(application) as server:
        for path in ("/", "/sleep", "/receive"):
            get(server, path)
        assert server.call(state) == "clean clean"
