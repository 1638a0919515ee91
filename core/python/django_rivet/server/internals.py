"""What the engine knows of asyncio beyond its documentation, and what it does where a Python has something else there.

Each part is looked for when a server starts (`Reactor.attach`, `Parts::attach` of `src/py/parts.rs`):

- `BaseEventLoop._ready` and `_scheduled`: whether asyncio has work. Without them it is asked after each turn.
- `BaseEventLoop._write_to_self`: ends the engine's sleep without a byte through a socket. Without it asyncio's own way
  does.
- `_set_running_loop`: lets blocking code that is quick run on the I/O thread. Without it all goes to the pool.
- Tasks take any Coroutine (`src/py/driver.rs`). Else one of `async def` is put round it: `coroutine_of`.
- Tasks wait for whatever has `_asyncio_future_blocking` (`src/py/waiter.rs`). Else they wait for a Future of asyncio's
  that follows ours: `wait_for`.
"""

import asyncio
from collections.abc import Awaitable, Generator
from typing import Any


async def coroutine_of[T](driver: Awaitable[T]) -> T:
    """A coroutine as asyncio has them."""
    return await driver


def wait_for(waiter: Any) -> Generator[Any, None, Any]:
    """Waits for a `Waiter` by a Future of asyncio's."""
    if not waiter.done():
        future: asyncio.Future[None] = waiter.get_loop().create_future()

        def follow(_: object) -> None:
            if not future.done():
                future.set_result(None)

        waiter.add_done_callback(follow)
        try:
            yield from future
        except asyncio.CancelledError:
            waiter.cancel()
            raise
    return waiter.result()


def missing(of_engine: list[str]) -> str:
    """What a person is told; "" when all is there. of_engine: what `Reactor.attach` has missed."""
    wake = hasattr(asyncio.SelectorEventLoop, "_write_to_self")
    names = [*of_engine, *(() if wake else ("BaseEventLoop._write_to_self",))]
    if not names:
        return ""
    return f"asyncio of this Python is new to the engine, which serves with less speed: it has no {', '.join(names)}."
