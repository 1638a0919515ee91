"""A server that answers with what it has seen."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from django_rivet._core import Request
from django_rivet.server.thread import ServerThread


def latin(value: Any) -> Any:
    """Bytes as text, for JSON."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return [latin(item) for item in value] if isinstance(value, list | tuple) else value


def echo(request: Request) -> None:
    seen = {
        "method": request.method,
        "path": latin(request.raw_path),
        "query": latin(request.query_string),
        "version": request.http_version,
        "headers": latin(request.headers),
        "body": latin(request.body),
        "meta": sorted(name for name in request.meta() if name.isupper()),
    }
    request.respond(200, [("Content-Type", "application/json")], json.dumps(seen).encode())


@pytest.fixture(scope="session")
def port() -> Iterator[int]:
    with ServerThread(lambda reactor: reactor.fallback(echo)) as server:
        yield server.port
