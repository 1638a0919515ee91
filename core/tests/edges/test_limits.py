"""What a route has instead of the server's options, on a server."""

import asyncio
import contextlib
import gzip
import io
import os
import re
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import httpx
import pytest

from django_rivet import API, Depends, Request, Response, Router, Stream, UploadedFile
from serving import DEADLINE, problem, serving, until

LONG = {"text": "x" * 4000}
release = threading.Event()
seen: list[str] = []
api = API(max_body="1K", timeout=0.2)
loose = Router("/loose", max_body=50, timeout=0, compress=False)
SERVER = {"max_body": 100, "compression": "zstd,gzip"}


def size(request: Request) -> int:
    return len(request.body)


api.post("/size")(size)
api.post("/smaller", max_body=10)(size)
api.post("/empty", max_body=0)(size)
loose.post("/size")(size)
loose.post("/larger", max_body="2K")(size)


@api.post("/json", max_body=10)
async def body(value: dict[str, int]) -> int:
    return len(value)


@api.get("/sleeps")
async def sleeps(request: Request) -> None:
    request.on_disconnect(lambda: seen.append("told"))
    try:
        await asyncio.sleep(DEADLINE)
    except asyncio.CancelledError:
        seen.append(f"cancelled, {request.disconnected}")
        raise


@api.get("/late")
async def late(request: Request) -> str:
    try:
        await asyncio.sleep(DEADLINE)
    except asyncio.CancelledError:
        seen.append("goes on")
    return "nobody reads this"


@api.get("/thread", blocking=True)
def thread(request: Request) -> str:
    assert release.wait(DEADLINE)
    seen.append("ended")
    return "nobody reads this"


@api.get("/stream")
async def stream() -> Stream:
    async def parts():  # type: ignore[no-untyped-def]
        yield b"a"
        await asyncio.sleep(0.5)
        yield b"b"

    return Stream(parts())


async def slow() -> int:
    await asyncio.sleep(DEADLINE)
    return 1


@api.get("/provided")
async def provided(value: Annotated[int, Depends(slow)]) -> int:
    return value


@api.get("/quick", timeout=30)
async def quick() -> str:
    await asyncio.sleep(0.3)
    return "ok"


@loose.get("/any")
async def any_time() -> str:
    await asyncio.sleep(0.3)
    return "ok"


@api.get("/long")
async def long() -> dict[str, str]:
    return LONG


@api.get("/secret", compress=False)
async def secret() -> dict[str, str]:
    return LONG


@api.get("/gzip", compress="gzip:9")
async def only_gzip() -> Response[dict[str, str]]:
    return Response(LONG)


@loose.get("/long")
async def loose_long() -> dict[str, str]:
    return LONG


@loose.get("/pressed", compress=True)
async def pressed() -> dict[str, str]:
    return LONG


@api.post("/hungry", max_body="100M", blocking=True, timeout=0)
def hungry(request: Request) -> float:
    """How much memory the process needs to read a body from its file, by the body's size."""
    before = most(anew=True)
    size = len(request.body)
    return (most() - before) / size


def most(*, anew: bool = False) -> int:
    """Bytes of memory that this process has had at most; from now on, if `anew` (proc(5))."""
    if anew:
        Path("/proc/self/clear_refs").write_text("5")
    return int(re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[0]) << 10


def save(file: UploadedFile) -> int:
    return sum(map(len, file.chunks()))


async def save_later(file: UploadedFile) -> int:
    return save(file)


api.post("/save/sync", max_body="100M", timeout=0)(save)
api.post("/save/async", max_body="100M", timeout=0)(save_later)


held = threading.Event()


@api.post("/held", timeout=0)
async def hold(request: Request) -> None:
    await asyncio.to_thread(held.wait, DEADLINE)


@api.post("/place", max_body="1M", inline=True)
def place(request: Request) -> str:
    return "memory" if isinstance(request.file, io.BytesIO) else "file"


api.include(loose)


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with serving(api, **SERVER) as client:
        yield client


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(
    ("path", "most"),
    [("/size", 1024), ("/smaller", 10), ("/empty", 0), ("/loose/size", 50), ("/loose/larger", 2048)],
)
def test_the_largest_body(client, path, most, chunked):
    for length in {most, most + 1}:
        content = b"x" * length
        response = client.post(path, content=iter([content[:5], content[5:]]) if chunked else content)
        if length <= most:
            assert (response.status_code, response.text) == (200, str(length))
        else:
            assert problem(response, 413)["detail"] == "the body is too large"
            assert response.headers["connection"] == "close"


def test_a_typed_body_that_is_too_large(client):
    assert client.post("/json", json={"a": 1}).json() == 1
    problem(client.post("/json", json={"a": 1, "b": 2}), 413)


def test_a_body_in_a_file_is_read_into_memory_once(client):
    assert client.post("/hungry", content=bytes(64 << 20)).json() < 1.5


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_an_upload_is_never_whole_in_memory(client, tmp_path, kind):
    """Neither in the engine nor in Django's upload handlers."""
    path = tmp_path / "large"
    path.touch()
    os.truncate(path, 64 << 20)
    with path.open("rb") as file:
        before = most(anew=True)
        assert client.post(f"/save/{kind}", files={"file": file}).json() == 64 << 20
        assert most() - before < 16 << 20


@pytest.mark.parametrize("whole", [False, True], ids=["on their way", "in work"])
def test_bodies_together_have_a_bound_in_memory(whole):
    """64 times `spool`: be it of half uploads, or of requests that wait for their answers."""
    request = b"POST /held HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n" + bytes(999 + whole)
    held.clear()
    with serving(api, spool=1000) as client, contextlib.ExitStack() as clients:
        assert client.post("/place", content=bytes(1000)).text == "memory"
        for _ in range(64):
            connection = clients.enter_context(socket.create_connection(address(client), DEADLINE))
            connection.sendall(request)
        until(lambda: client.post("/place", content=bytes(100)).text == "file", "there is no room")
        held.set()
        clients.close()
        until(lambda: client.post("/place", content=bytes(1000)).text == "memory", "there is room again")


def test_a_body_that_is_no_body(client):
    request = b"POST /size HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nnone\r\n"
    answer = exchange(client, request)
    assert answer.startswith(b"HTTP/1.1 400 ") and b"application/problem+json" in answer


def test_a_body_that_does_not_come():
    with serving(api, body_timeout=0.2) as client:
        answer = exchange(client, b"POST /size HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nx")
        assert answer.startswith(b"HTTP/1.1 408 ") and b"application/problem+json" in answer


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_cannot_be_kept(monkeypatch, tmp_path, chunked):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "missing"))  # as on a disk that is full
    with serving(api, spool=4) as client:
        content = b"x" * 8
        answer = client.post("/size", content=iter([content]) if chunked else content)
        assert problem(answer, 507)["detail"] == "the body cannot be kept"
        assert client.post("/size", content=b"abcd").text == "4"


def exchange(client: httpx.Client, data: bytes) -> bytes:
    """What comes back on a connection of its own until it is closed."""
    with socket.create_connection(address(client), DEADLINE) as connection:
        connection.sendall(data)
        return b"".join(iter(lambda: connection.recv(4096), b""))


def address(client: httpx.Client) -> tuple[str, int]:
    assert client.base_url.port
    return client.base_url.host, client.base_url.port


@pytest.mark.parametrize("path", ["/sleeps", "/provided", "/late"])
def test_a_handler_that_takes_too_long_is_cancelled(client, path):
    seen.clear()
    since = time.monotonic()
    answer = problem(client.get(path), 504)
    assert answer["detail"] == "The answer took too long."
    assert 0.2 <= time.monotonic() - since < DEADLINE / 2
    wanted = {"/sleeps": {"told", "cancelled, True"}, "/provided": set(), "/late": {"goes on"}}[path]
    until(lambda: set(seen) == wanted, "the handler hears of it")
    # The connection goes on, and the late answer is not taken for the next one's.
    assert client.get("/quick").text == "ok"


def test_a_thread_ends_by_itself(client):
    seen.clear()
    release.clear()
    problem(client.get("/thread"), 504)
    assert not seen
    release.set()
    until(lambda: seen == ["ended"], "the thread ends")
    assert client.get("/quick").text == "ok"


def test_what_has_begun_is_not_cut(client):
    assert client.get("/stream").content == b"ab"


def test_the_nearest_time_holds(client):
    assert client.get("/quick").text == "ok"
    assert client.get("/loose/any").text == "ok"


@pytest.mark.parametrize(
    ("path", "accepted", "coding"),
    [
        ("/long", "gzip, zstd", "zstd"),
        ("/secret", "gzip, zstd", None),
        ("/gzip", "gzip, zstd", "gzip"),
        ("/gzip", "zstd", None),
        ("/loose/long", "gzip", None),
        ("/loose/pressed", "gzip, zstd", "zstd"),
    ],
)
def test_compression(client, path, accepted, coding):
    with client.stream("GET", path, headers={"Accept-Encoding": accepted}) as response:
        sent = b"".join(response.iter_raw())
    assert response.headers.get("content-encoding") == coding
    assert ("vary" in response.headers) == (path not in ("/secret", "/loose/long"))
    if coding is None:
        assert len(sent) > 4000
    else:
        assert len(sent) < 200
    if coding == "gzip":
        assert b"xxx" in gzip.decompress(sent)


def test_a_route_may_compress_where_the_server_does_not():
    with serving(api) as client:
        for path, coding in (("/loose/pressed", "br"), ("/gzip", None), ("/long", None)):
            answer = client.get(path, headers={"Accept-Encoding": "br", "X": "1"})
            assert answer.headers.get("content-encoding") == coding


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ({"max_body": "much"}, "max_body='much': write bytes"),
        ({"max_body": -1}, "max_body=-1"),
        ({"timeout": "soon"}, "timeout='soon': write seconds"),
        ({"timeout": -1}, "timeout=-1"),
        ({"compress": "rar"}, "compress='rar': write True, False, or codings"),
    ],
)
def test_mistakes_show_where_they_are(option, words):
    with pytest.raises(ValueError, match=f"^POST /x: {words}.*test_limits"):
        API().post("/x", **option)(size)
    with pytest.raises(ValueError, match=f"^Router: {words}"):
        Router("/x", **option)
