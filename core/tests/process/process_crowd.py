"""Many slow clients, as a program of their own: they must slow only the server, not the clients that are measured.

python process_crowd.py PORT head|body COUNT: writes a dot for each client that the server closes, until its input ends.
"""

import asyncio
import contextlib
import random
import sys

from process_load import Connection

STARTS = {
    "head": b"GET /named/slow HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ",
    "body": b"POST /upload/slow HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n\r\n",
}


async def client(port: int, kind: str) -> None:
    """Comes at its own time, sends a byte a second of a head or none of a body, and comes again when closed."""
    await asyncio.sleep(random.random() * 3)
    while True:
        connection = await Connection.to(port)
        connection.writer.write(STARTS[kind])
        end = asyncio.create_task(connection.reader.read())
        while not end.done():
            # A slow head goes on; a slow body stops: it is cut only when it makes no progress.
            if kind == "head":
                connection.writer.write(b"x")
            await asyncio.wait([end], timeout=1)
        print(".", end="", flush=True)
        with contextlib.suppress(ConnectionError):
            await end
        connection.close()


async def crowd(port: int, kind: str, count: int) -> None:
    clients = [asyncio.create_task(client(port, kind)) for _ in range(count)]
    await asyncio.to_thread(sys.stdin.read)
    for each in clients:
        each.cancel()


if __name__ == "__main__":
    asyncio.run(crowd(int(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
