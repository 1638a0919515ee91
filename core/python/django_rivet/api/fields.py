"""What is in a header field."""

import re

from django.http import parse_cookie

from django_rivet._core import Request, WebSocket

# Of a list in a header field. A quotation mark that is not closed takes all that is left, so that each is read once.
_ELEMENT = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*+(?:"|\\?\Z))+', re.DOTALL)


def cookies(request: Request | WebSocket) -> dict[str, str]:
    """The cookies, as Django reads them: browsers send UTF-8."""
    value = request.header("cookie") or ""
    return parse_cookie(value if value.isascii() else value.encode("latin-1").decode(errors="replace"))


def elements(value: str) -> list[str]:
    """The elements of a header field that is a list (RFC 9110 5.6.1); quotation marks stay."""
    return [element for found in _ELEMENT.findall(value) if (element := found.strip(" \t"))]
