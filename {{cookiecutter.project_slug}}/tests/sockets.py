"""WebSockets for plain code: the asyncio client, in one background loop.

The synchronous client of websockets reads and writes in two threads, in which Python's TLS loses data:
https://github.com/python/cpython/issues/143756
"""

import asyncio
import json
import time
from collections.abc import Callable, Coroutine
from functools import cache
from threading import Thread
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

import stack


@cache
def background() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    Thread(target=loop.run_forever, daemon=True).start()
    return loop


def wait(work: Coroutine[Any, Any, Any], timeout: float = 60) -> Any:
    return asyncio.run_coroutine_threadsafe(work, background()).result(timeout)


async def dial(path: str, cookie: str, **options: Any) -> ClientConnection:
    options = {"origin": stack.URL, "additional_headers": {"Cookie": cookie}, "ssl": stack.tls()} | options
    return await connect(stack.URL.replace("http", "ws", 1) + path, open_timeout=10, proxy=None, **options)


async def receive(connection: ClientConnection, seconds: float) -> str:
    message = asyncio.ensure_future(connection.recv())
    if not (await asyncio.wait([message], timeout=seconds))[0]:
        message.cancel()
        raise TimeoutError
    return str(message.result())


class Socket:
    def __init__(self, path: str, cookie: str, **options: Any) -> None:
        self._connection = wait(dial(path, cookie, **options))

    def __enter__(self) -> "Socket":
        return self

    def __exit__(self, *error: object) -> None:
        wait(self._connection.close())

    def send(self, text: str) -> None:
        wait(self._connection.send(text))

    def recv(self, timeout: float) -> str:
        return wait(receive(self._connection, timeout), timeout + 10)


def hear(
    socket: Socket,
    kind: str,
    where: Callable[[dict[str, Any]], bool] = lambda message: True,
    deadline: float = stack.DEADLINE,
) -> dict[str, Any]:
    """The next message of this type that fits; others are passed over."""
    end = time.monotonic() + deadline
    while True:
        try:
            message = json.loads(socket.recv(timeout=max(0, end - time.monotonic())))
        except TimeoutError:
            raise AssertionError(f"no fitting message {kind!r} within {deadline:g} s") from None
        if message["type"] == kind and where(message):
            return message
