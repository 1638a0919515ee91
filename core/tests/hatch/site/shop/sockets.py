"""Handlers of WebSockets."""

from django_rivet import Disconnected, Router, WebSocket, broadcast
from shop.asked import seen

router = Router()
room: set[WebSocket] = set()


@router.websocket("/echo/{name}")
async def echo(socket: WebSocket, name: str) -> None:
    socket.accept("chat" if "chat" in socket.subprotocols else None, [("X-One", "1")])
    socket.on_disconnect(lambda code, reason: seen.append(f"socket {name} {code} {reason}"))
    await socket.send(name)
    while True:
        await socket.send(await socket.receive())


@router.websocket("/room")
async def join(socket: WebSocket) -> None:
    socket.accept()
    room.add(socket)
    try:
        while True:
            broadcast(room, await socket.receive())
    except Disconnected:
        room.remove(socket)


@router.websocket("/denied")
async def denied(socket: WebSocket) -> None:
    socket.deny(401, [("X-Why", "no")], b"go away")


@router.websocket("/forgotten")
async def forgotten(socket: WebSocket) -> None:
    pass


@router.websocket("/breaks")
async def breaks(socket: WebSocket) -> None:
    socket.accept()
    raise KeyError("secret")


@router.websocket("/breaks/early")
async def breaks_early(socket: WebSocket) -> None:
    raise KeyError("secret")


@router.websocket("/ends")
async def ends(socket: WebSocket) -> None:
    socket.accept()
    await socket.send(str(socket.closed))
    socket.close(3001, "enough")
    seen.append(f"socket ends {socket.closed}")
