"""Handlers of WebSockets."""

from collections.abc import AsyncIterator
from typing import Annotated

from django_rivet import Depends, Disconnected, Header, HTTPError, Router, WebSocket, broadcast
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


async def seat(socket: WebSocket, x_name: Annotated[str, Header()]) -> AsyncIterator[str]:
    if x_name == "nobody":
        raise HTTPError(409, "There is no seat for nobody.")
    try:
        yield f"{x_name} at {socket.path}"
    finally:
        seen.append(f"seat of {x_name} left")


@router.websocket("/seats/{number}")
async def sit(socket: WebSocket, number: int, seat: Annotated[str, Depends(seat)], row: int = 1) -> None:
    socket.accept()
    await socket.send(f"{seat}: {number + row}")


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
