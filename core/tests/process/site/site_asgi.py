"""An ASGI application of its own: it says when it starts and ends, answers HTTP and echoes WebSockets."""

import asyncio
import os
from typing import Any


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        while True:
            event = (await receive())["type"]
            print(event, flush=True)
            if os.environ.get("SITE_LIFESPAN_WAITS"):
                await asyncio.Event().wait()
            if event == f"lifespan.{os.environ.get('SITE_LIFESPAN_FAILS')}":
                await send({"type": f"{event}.failed", "message": "on purpose"})
                return
            await send({"type": f"{event}.complete"})
            if event == "lifespan.shutdown":
                return
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"asgi " + scope["path"].encode()})
        return
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message["text"]})
