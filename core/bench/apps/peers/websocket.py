"""WebSockets without a framework: /ws/echo and /ws/broadcast."""

members = set()


async def application(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
    elif scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await (to_all if scope["path"] == "/ws/broadcast" else echo)(receive, send)


async def echo(receive, send):
    while (event := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": event["text"]})


async def to_all(receive, send):
    members.add(send)
    try:
        while (event := await receive())["type"] == "websocket.receive":
            message = {"type": "websocket.send", "text": event["text"]}
            for member in list(members):
                await member(message)
    finally:
        members.discard(send)
