"""Requests as a test writes them, on their way to the wire."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

HOST = "testserver"  # as Django's test client; its test runner allows it
SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")
REDIRECTS = (301, 302, 303, 307, 308)
MOST_REDIRECTS = 20


class Body(NamedTuple):
    """A body and what it is."""

    content: bytes
    content_type: str | None = None


def body(content: bytes | str | None, json_value: Any, data: Any) -> Body | None:
    """The body from at most one of the three. Raises TypeError for more."""
    if sum(value is not None for value in (content, json_value, data)) > 1:
        raise TypeError("a request has one body: content, json or data")
    if content is not None:
        return Body(content.encode() if isinstance(content, str) else content)
    if json_value is not None:
        return Body(json.dumps(json_value, cls=DjangoJSONEncoder).encode(), "application/json")
    if data is None:
        return None
    values = [each for value in data.values() for each in (value if isinstance(value, list | tuple) else [value])]
    if any(hasattr(value, "read") for value in values):
        return Body(encode_multipart(BOUNDARY, data), MULTIPART_CONTENT)
    return Body(urlencode(data, doseq=True).encode(), "application/x-www-form-urlencoded")


def target(path: str, params: Mapping[str, Any] | None) -> str:
    """Path and query. Raises ValueError for a path that is none."""
    if not path.startswith("/"):
        raise ValueError(f"{path!r} is no path: it starts with a slash")
    if not params:
        return path
    return f"{path}{'&' if '?' in path else '?'}{urlencode(params, doseq=True)}"


def csrf_header() -> str:
    """The field that carries the CSRF token."""
    return str(settings.CSRF_HEADER_NAME).removeprefix("HTTP_").replace("_", "-")
