"""Sends values and Django's responses as answers."""

from collections.abc import Coroutine
from typing import Any

import msgspec
from asgiref.sync import sync_to_async
from django.http import FileResponse, StreamingHttpResponse
from django.http.response import HttpResponse

from django_rivet._core import Request
from django_rivet.api import stream
from django_rivet.django import answer as django_answer

# What is left to do on the loop.
type Later = Coroutine[Any, Any, None] | None
type Fields = list[tuple[str, str]]


def send_value(request: Request, value: Any, status: int, headers: Fields) -> Later:
    """Answers as the engine does for plain values. Raises TypeError for what msgspec does not know."""
    content_type = "application/json"
    if isinstance(value, bytes):
        body, content_type = value, "application/octet-stream"
    elif isinstance(value, str):
        body, content_type = value.encode(), "text/plain; charset=utf-8"
    elif value is None:
        request.respond(204 if status == 200 else status, headers, b"")
        return None
    else:
        body = msgspec.json.encode(value)
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers = [("Content-Type", content_type), *headers]
    request.respond(status, headers, body)
    return None


def send_django(request: Request, response: Any, headers: Fields) -> Later:
    """Answers with a response of Django's, and these fields in it."""
    for name, value in headers:
        response.headers[name] = value
    if not getattr(response, "is_rendered", True):
        response = response.render()
    if isinstance(response, FileResponse) and django_answer.send_file(request, response):
        response.close()
        return None
    if isinstance(response, StreamingHttpResponse):
        return _send_stream(request, response)
    assert isinstance(response, HttpResponse)
    django_answer.send_whole(request, response)
    response.close()
    return None


async def _send_stream(request: Request, response: StreamingHttpResponse) -> None:
    try:
        chunks: Any = response.streaming_content
        await stream.send(request, response.status_code, django_answer.head(response), stream.encoded(chunks))
    finally:
        await sync_to_async(response.close)()
