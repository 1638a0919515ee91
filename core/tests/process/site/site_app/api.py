"""Native handlers."""

import asyncio
import threading
import time

from asgiref.sync import sync_to_async

from django_rivet import API, Background, WebSocket

api = API(prefix="/native")


@api.get("/async/{name}")
async def on_the_loop(name: str) -> dict[str, str]:
    return {"name": name, "thread": threading.current_thread().name}


@api.get("/blocking/{name}", blocking=True)
def on_the_pool(name: str) -> dict[str, str]:
    return {"name": name, "thread": threading.current_thread().name}


meeting = threading.Barrier(2, timeout=20)


@api.get("/meet")
async def meet() -> str:
    """Ends when another one is there, on another thread."""
    await sync_to_async(meeting.wait)()
    return await sync_to_async(lambda: threading.current_thread().name)()


@api.get("/hang/{seconds}")
async def hang(seconds: str) -> None:
    """Blocks the I/O thread."""
    time.sleep(float(seconds))


@api.get("/hold")
async def hold() -> None:
    """Blocks the I/O thread and keeps Python's lock: no other thread runs."""
    sum(range(1 << 60))


grown: list[bytes] = []


@api.get("/grow/{mebibytes}")
async def grow(mebibytes: str) -> None:
    """Keeps memory."""
    grown.append(b"x" * (int(mebibytes) << 20))


@api.get("/later/{seconds}")
async def later(seconds: float, after: Background) -> str:
    """Works on after its answer."""
    after.add(asyncio.sleep, seconds)
    after.add(print, "later: done", flush=True)
    return "promised"


@api.get("/later-on-a-thread/{seconds}", blocking=True)
def later_on_a_thread(seconds: float, after: Background) -> str:
    after.add(time.sleep, seconds)
    after.add(print, "later: done", flush=True)
    return "promised"


@api.websocket("/echo")
async def echo(socket: WebSocket) -> None:
    socket.accept()
    while True:
        await socket.send(await socket.receive())
