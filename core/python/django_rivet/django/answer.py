"""Hands an HttpResponse to the engine."""

from __future__ import annotations

import io
import math
import os
from typing import TYPE_CHECKING, Any

from django.core.files.base import File
from django.http.response import FileResponse, HttpResponse, HttpResponseBase, ResponseHeaders

if TYPE_CHECKING:
    from django_rivet import _core

CHUNK = 64 * 1024  # bytes; as ASGIHandler.chunk_size


def head(response: HttpResponseBase) -> list[tuple[str, str]]:
    """The response's fields as (name, value), cookies included."""
    headers = response.headers
    # ResponseHeaders.items() looks every name up again: 2 us for seven fields.
    fields = list(headers._store.values()) if type(headers) is ResponseHeaders else list(headers.items())
    if response.cookies:
        fields.extend(("Set-Cookie", cookie.OutputString()) for cookie in response.cookies.values())
    return fields


def send_whole(core: _core.Request, response: HttpResponse) -> None:
    core.respond(response.status_code, head(response), response.content)


def send_file(core: _core.Request, response: FileResponse) -> bool:
    """Has the engine send the file itself; False when it is none that has its bytes on disk as they are."""
    file = _real_file(response.file_to_stream)
    if file is None:
        response.block_size = CHUNK
        return False
    offset = file.tell()
    count = os.fstat(file.fileno()).st_size - offset
    core.send_file(response.status_code, head(response), file.fileno(), offset, max(0, count))
    return True


def _real_file(file: Any) -> io.BufferedReader | io.BufferedRandom | io.FileIO | None:
    # Exact types: gzip, tarfile and others also have a fileno(), of something else than what they read.
    while isinstance(file, File) or type(file).__module__ == "tempfile":
        file = getattr(file, "file", None)
    if type(file) in (io.BufferedReader, io.BufferedRandom):
        return file if type(file.raw) is io.FileIO and not file.closed else None
    return file if type(file) is io.FileIO and not file.closed else None


def refuse(core: _core.Request, retry_after: float) -> None:
    """503, when there is no thread for the request in time. `retry_after`: seconds."""
    fields = [("Content-Type", "text/plain"), ("Retry-After", str(max(1, math.ceil(retry_after))))]
    core.respond(503, fields, b"Service Unavailable\n")


def fail(core: _core.Request, *, begun: bool) -> None:
    """Answers for a request that nothing can be answered from: 500, or a cut connection when the answer has begun."""
    try:
        if begun:
            core.abort()
        else:
            core.respond(500, [("Content-Type", "text/plain")], b"Internal Server Error\n")
    except (OSError, RuntimeError):
        pass  # the client has gone, or has its answer already
