"""Status and header fields of an answer: checked as the engine checks them, and put on a Django response."""

import json
import re
from collections.abc import Iterable
from http.cookies import Morsel
from typing import Any

from django.http.response import HttpResponseBase

type Given = Iterable[tuple[str | bytes, str | bytes]]
type Fields = list[tuple[str, str]]

# RFC 9110 5.6.2 and 5.5.
NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")
# RFC 9110 7.6.1: they belong to a connection, and so to the server.
HOP_BY_HOP = frozenset(
    "connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer transfer-encoding"
    " upgrade".split()
)


def checked(status: int, headers: Given) -> Fields:
    """The fields as text, without those of a connection.

    Raises ValueError for a status, name or value that HTTP cannot carry.
    """
    if not 200 <= status <= 599:
        raise ValueError(f"{status} is no status of an answer: it must be from 200 to 599")
    fields = [(_text(name), _text(value)) for name, value in headers]
    for name, value in fields:
        if not NAME.fullmatch(name) or not VALUE.fullmatch(value):
            raise ValueError(f"no valid header field: {json.dumps(name)}: {json.dumps(value)}")
    return [(name, value) for name, value in fields if name.lower() not in HOP_BY_HOP]


def _text(value: str | bytes) -> str:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    value.encode("latin-1")  # its error is a ValueError
    return value


def joined(headers: list[tuple[bytes, bytes]], name: str) -> str | None:
    """The value of a request's field; those of one that came more than once are joined, as the engine does."""
    wanted = name.lower().encode("latin-1", "replace")
    values = [value.decode("latin-1") for field, value in headers if field == wanted]
    return ("; " if wanted == b"cookie" else ",").join(values) if values else None


def content_length(fields: Fields) -> int | None:
    """The Content-Length among them. Raises ValueError when it is no number, or is given twice."""
    values = [value for name, value in fields if name.lower() == "content-length"]
    if not values:
        return None
    if len(values) > 1 or not (values[0].isascii() and values[0].isdigit()):
        raise ValueError("Content-Length must be a number, given once")
    return int(values[0])


def bodiless(status: int) -> bool:
    """Whether HTTP has no body there (RFC 9110 6.4.1)."""
    return status in (204, 304)


class _RawCookie(Morsel[Any]):
    """A Set-Cookie field as the handler wrote it: Django sends what OutputString gives."""

    def __init__(self, line: str) -> None:
        super().__init__()
        name, _, value = line.partition(";")[0].partition("=")
        state = {"key": name.strip(), "value": value.strip(), "coded_value": value.strip()}
        self.__setstate__(state)  # type: ignore[attr-defined]  # set() refuses names that others do send
        self._line = line

    def OutputString(self, attrs: Any = None) -> str:
        return self._line


def put(response: HttpResponseBase, status: int, fields: Fields) -> None:
    """Gives a response these fields and no others.

    Fields of one name become one, parted by commas, which means the same (RFC 9110 5.3); cookies stay apart.
    """
    for name in list(response.headers):
        del response.headers[name]
    for number, (name, value) in enumerate(fields):
        lower = name.lower()
        if lower == "set-cookie":
            cookie = _RawCookie(value)
            key = cookie.key if cookie.key not in response.cookies else f"{cookie.key};{number}"
            dict.__setitem__(response.cookies, key, cookie)
        elif lower == "content-length" and status == 204:
            continue
        elif lower in response.headers:
            response.headers[name] = f"{response.headers[name]}, {value}"
        else:
            response.headers[name] = value
