"""The document and its page as routes."""

import hashlib
import re
from collections.abc import Sequence
from functools import cache, cached_property
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from django.conf import settings

from django_rivet._core import Request
from django_rivet.api import API, HTTPError, Response, Router
from django_rivet.openapi.document import document
from django_rivet.openapi.security import csrf_header

FOLDER = Path(__file__).parent / "page"
TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
# Nothing from elsewhere, nothing inline.
CSP = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"
# Where the page has a value.
_PLACE = re.compile(r"\[([a-z-]+)\]")


class _File(NamedTuple):
    content: bytes
    media: str
    tag: str


class Docs(Router):
    """A page that shows the project's native API and tries it out, for an API to include.

        api.include(Docs("/docs", title="Shop", version="2.1"))

    prefix: where the page is; the OpenAPI document is below it, at /openapi.json. title, version, description, servers:
    as `document` has them. apis: only their routes, in place of all native routes of the project. Other options are a
    router's: `auth=SessionAuth(), permissions=IsStaff` keeps it among the staff. It needs nothing from other hosts and
    nothing inline, so it works offline and under a Content-Security-Policy of `default-src 'self'`.
    """

    def __init__(
        self,
        prefix: str = "/docs",
        *,
        title: str = "API",
        version: str = "1",
        description: str = "",
        servers: Sequence[str] = (),
        apis: Sequence[API] | None = None,
        **options: Any,
    ) -> None:
        if not prefix:
            raise ValueError("Docs() needs a prefix, such as '/docs'")
        super().__init__(prefix, **options)
        self.title = title
        self._apis = apis
        self._about: dict[str, Any] = {
            "title": title,
            "version": version,
            "description": description,
            "servers": servers,
        }
        self.get("", name="docs", include_in_schema=False)(self._page)
        self.get("/openapi.json", name="openapi", include_in_schema=False)(self._openapi)
        self.get("/{name}", name="docs-file", include_in_schema=False)(self._part)

    def document(self) -> dict[str, Any]:
        """The OpenAPI document, made anew."""
        routes = None if self._apis is None else [route for api in self._apis for route in api.routes]
        return document(routes, **self._about)

    def _page(self, request: Request) -> Response[bytes | None]:
        # Relative, as a server may put the whole project below a path.
        base = request.path.rpartition("/")[2]
        html = (FOLDER / "docs.html").read_text()
        values = {
            "title": self.title,
            "base": base,
            "csrf-cookie": settings.CSRF_COOKIE_NAME,
            "csrf-header": csrf_header(),
        }
        html = _PLACE.sub(lambda found: escape(values[found[1]]), html)
        return _answer(request, _file(html.encode(), "text/html; charset=utf-8"), ("Content-Security-Policy", CSP))

    def _openapi(self, request: Request) -> Response[bytes | None]:
        return _answer(request, self._made)

    def _part(self, request: Request, name: str) -> Response[bytes | None]:
        if name not in _parts():
            raise HTTPError(404)
        return _answer(request, _parts()[name])

    @cached_property
    def _made(self) -> _File:
        """Once for the process: routes do not change."""
        return _file(msgspec.json.encode(self.document()), "application/json")


def _file(content: bytes, media: str) -> _File:
    return _File(content, media, f'W/"{hashlib.sha256(content).hexdigest()[:32]}"')


@cache
def _parts() -> dict[str, _File]:
    """The page's scripts and styles."""
    return {
        path.name: _file(path.read_bytes(), TYPES[path.suffix]) for path in FOLDER.iterdir() if path.suffix in TYPES
    }


def _answer(request: Request, file: _File, *fields: tuple[str, str]) -> Response[bytes | None]:
    headers = [("ETag", file.tag), ("Cache-Control", "no-cache"), ("X-Content-Type-Options", "nosniff"), *fields]
    if file.tag in (request.header("if-none-match") or ""):
        return Response(None, status=304, headers=headers)
    return Response(file.content, headers=[("Content-Type", file.media), *headers])
