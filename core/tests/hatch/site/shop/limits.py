"""Handlers with limits of their own, and with tags."""

import asyncio
import threading
from collections.abc import AsyncIterator

from django_rivet import Request, Router, Stream
from shop.asked import seen

router = Router()


@router.post("/limited/sync", max_body=10)
def limited_sync(request: Request) -> int:
    return len(request.body)


@router.post("/limited/async", max_body="8M")
async def limited_async(request: Request) -> int:
    return len(request.body)


@router.get("/slow/sync", blocking=True, timeout=0.2)
def slow_sync() -> str:
    threading.Event().wait(1.0)
    seen.append("slow-ended")
    return "late"


@router.get("/slow/async", timeout=0.2)
async def slow_async() -> str:
    try:
        await asyncio.sleep(30)
    except asyncio.CancelledError:
        seen.append("slow-cancelled")
        raise
    return "late"


@router.get("/slow/stream", timeout=0.2)
async def slow_stream() -> Stream:
    async def parts() -> AsyncIterator[bytes]:
        yield b"a"
        await asyncio.sleep(0.4)
        yield b"b"

    return Stream(parts())


async def tag(number: int) -> str:
    return f"v{number}"


@router.get("/tagged/sync/{number}", etag=lambda number: f"v{number}")
def tagged_sync(number: int) -> dict[str, int]:
    return {"number": number}


@router.get("/tagged/async/{number}", etag=tag)
async def tagged_async(number: int) -> dict[str, int]:
    return {"number": number}


@router.get("/tagged/auto/{number}", etag=True)
async def tagged_auto(number: int) -> dict[str, int]:
    return {"number": number}
