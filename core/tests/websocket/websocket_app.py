"""The process that `websocket_server.serve` starts: native WebSocket handlers on a listening socket that it inherits.

Arguments: the socket's number and the engine's options in JSON. What its handlers see goes to stdout: JSON lists.
"""

import asyncio
import json
import signal
import socket
import sys

from django_rivet._core import Disconnected, Reactor, WebSocket, broadcast


def tell(*words: object) -> None:
    print(json.dumps(words), flush=True)


def watch(ws: WebSocket) -> None:
    """Tells each call of the callback for the end."""
    ws.on_disconnect(lambda code, reason: tell("disconnect", ws.path, code, reason))


async def echo(ws: WebSocket) -> None:
    ws.accept()
    watch(ws)
    while True:
        await ws.send(await ws.receive())


async def protocols(ws: WebSocket) -> None:
    """Takes the last subprotocol offered and tells all."""
    ws.accept(ws.subprotocols[-1], [("X-Offered", " ".join(ws.subprotocols))])
    await ws.receive()


async def close(ws: WebSocket, code: str) -> None:
    """Closes with `code`, then tells what receive() says."""
    ws.accept()
    watch(ws)
    ws.close(int(code), "as you wish")
    try:
        await ws.receive()
    except Disconnected as end:
        tell("received", end.code, end.reason)


async def early(ws: WebSocket) -> None:
    """Asks for its end to be told before the connection is open."""
    watch(ws)
    ws.accept()
    await ws.receive()


async def deaf(ws: WebSocket) -> None:
    """Receives nothing until it is over."""
    ws.accept()
    watch(ws)
    await asyncio.sleep(3600)


async def late(ws: WebSocket) -> None:
    """An echo that begins after two seconds."""
    ws.accept()
    await asyncio.sleep(2)
    while True:
        await ws.send(await ws.receive())


async def flood(ws: WebSocket) -> None:
    """Sends as long as the peer keeps up; tells when it has to wait."""
    ws.accept()
    watch(ws)
    sent = 0
    while True:
        waits = asyncio.ensure_future(ws.send(b"x" * 65536))
        sent += 1
        _, pending = await asyncio.wait([waits], timeout=0.5)
        if pending:
            tell("waits", sent)
        try:
            await waits
        except Disconnected as end:
            tell("send", end.code)
            raise


room: set[WebSocket] = set()


async def members(ws: WebSocket) -> None:
    """What one says, all get; in reply to "more" two messages, and their sender one between them, in one turn."""
    ws.accept()
    room.add(ws)
    ws.on_disconnect(lambda *_: room.discard(ws))
    tell("member", len(room))
    while True:
        message = await ws.receive()
        tell("sent", broadcast(list(room), message))
        if message == "more":
            await ws.send("yours")
            broadcast(list(room), "again")


ROUTES = {
    "/echo": echo,
    "/protocols": protocols,
    "/close/{code}": close,
    "/early": early,
    "/deaf": deaf,
    "/late": late,
    "/flood": flood,
    "/room": members,
}


async def main(reactor: Reactor, listener: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    reactor.native([("WEBSOCKET", path, handler, "async") for path, handler in ROUTES.items()])
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    reactor.listen(listener.fileno())
    tell("ready")
    await stop.wait()
    reactor.drain()
    while not reactor.idle():
        await asyncio.sleep(0.01)


if __name__ == "__main__":
    reactor = Reactor(json.loads(sys.argv[2]))
    loop = asyncio.SelectorEventLoop(reactor)
    reactor.attach(loop)
    loop.run_until_complete(main(reactor, socket.socket(fileno=int(sys.argv[1]))))
