"""Answers as Django responses."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import msgspec
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from django_rivet.api.errors import HTTPError
from django_rivet.hatch.answer import PIECE, Answer, FilePart, logger
from django_rivet.hatch.fields import Fields, bodiless, content_length, put

TEXT = ("Content-Type", "text/plain; charset=utf-8")
_encode = msgspec.json.Encoder().encode


class Cut(Exception):
    """An answer ends before its end: the server sees it and cuts the connection."""


def rendered(value: object, head_only: bool) -> HttpResponse:
    """What a handler returned, as `src/py/render.rs` has it. Raises TypeError for what msgspec cannot encode."""
    if value is None:
        return whole(204, [], b"", head_only)
    if isinstance(value, bytes):
        return whole(200, [("Content-Type", "application/octet-stream")], value, head_only)
    if isinstance(value, str):
        return whole(200, [TEXT], value.encode(), head_only)
    return whole(200, [("Content-Type", "application/json")], _encode(value), head_only)


def plain(status: int, text: str, head_only: bool = False, *fields: tuple[str, str]) -> HttpResponse:
    """An answer of our own."""
    return whole(status, [*fields, TEXT] if text else [*fields], text.encode(), head_only)


def failed(head_only: bool) -> HttpResponse:
    """The answer when a handler raised."""
    return problem(HTTPError(500), head_only)


def problem(error: HTTPError, head_only: bool) -> HttpResponse:
    """An error of our own."""
    return whole(error.status, error.fields, error.body(), head_only)


def whole(status: int, fields: Fields, body: bytes, head_only: bool) -> HttpResponse:
    """An answer that is there at once."""
    given = content_length(fields)
    if given is None and not bodiless(status):
        fields = [*fields, ("Content-Length", str(len(body)))]
    elif given is not None and given != len(body) and not bodiless(status):
        logger.warning("an answer could not be sent: Content-Length must equal the length of the body")
        return failed(head_only)
    response = HttpResponse(b"" if head_only or bodiless(status) else body, status=status)
    put(response, status, fields)
    return response


def streamed(status: int, fields: Fields, parts: Iterator[bytes] | AsyncIterator[bytes]) -> StreamingHttpResponse:
    """An answer whose body comes in parts."""
    response = StreamingHttpResponse(parts, status=status)
    put(response, status, fields)
    return response


def complete(answer: Answer, head_only: bool, is_async: bool) -> HttpResponseBase:
    """The answer of a handler that has ended it. is_async: parts are to come as an async iterator."""
    if answer.aborted:
        parts = _cut(answer.spooled)
        return streamed(answer.status or 500, answer.fields, _async(parts) if is_async else parts)
    if answer.body is not None:
        return whole(answer.status, answer.fields, answer.body, head_only)
    if answer.file is not None:
        return _file(answer, answer.file, head_only, is_async)
    empty = head_only or bodiless(answer.status) or answer.spooled is None
    parts = iter(()) if empty else _spooled(answer.spooled)
    return streamed(answer.status, answer.fields, _async(parts) if is_async else parts)


def _file(answer: Answer, file: FilePart, head_only: bool, is_async: bool) -> HttpResponseBase:
    fields = answer.fields
    given = content_length(fields)
    if given is not None and given != file.left:
        logger.warning("an answer could not be sent: Content-Length must equal the length of the file's part")
        file.close()
        return failed(head_only)
    if given is None and not bodiless(answer.status):
        fields = [*fields, ("Content-Length", str(file.left))]
    if head_only or bodiless(answer.status):
        file.close()
        response = HttpResponse(b"", status=answer.status)
        put(response, answer.status, fields)
        return response
    parts = iter(file.read, b"")
    streaming = streamed(answer.status, fields, _threaded(parts) if is_async else parts)
    streaming._resource_closers.append(file.close)  # type: ignore[attr-defined]
    return streaming


def _spooled(file: Any) -> Iterator[bytes]:
    file.seek(0)
    with file:
        yield from iter(lambda: file.read(PIECE), b"")


def _cut(spooled: Any) -> Iterator[bytes]:
    if spooled is not None:
        yield from _spooled(spooled)
    raise Cut("the handler cut its answer")


async def _async(parts: Iterator[bytes]) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def _threaded(parts: Iterator[bytes]) -> AsyncIterator[bytes]:
    while part := await asyncio.to_thread(next, parts, b""):
        yield part
