"""Django's HttpRequest, built straight from the engine's request: no WSGI environ, no ASGI scope."""

from __future__ import annotations

import os
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO

from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, QueryDict, parse_cookie
from django.utils.functional import cached_property

if TYPE_CHECKING:
    from django.urls import ResolverMatch
    from django.urls.exceptions import Resolver404

    from django_rivet import _core

    from .half import Half


class RivetRequest(ASGIRequest):
    """An ASGIRequest, for who asks (RemoteUserMiddleware), with its META; everything else is read on first use.

    `core` is the engine's request. The body is read from `core.file`: bytes in memory, or a temporary file when it is
    larger than `RIVET_SPOOL`, so upload handlers see it in chunks.
    """

    # Set by Routes.find: the view found (or not) before the middleware ran, for this path and language.
    rivet_match: ResolverMatch | Resolver404 | None = None
    rivet_path: str = ""
    rivet_language: str | None = None
    # Set by async_.serve: runs the sync halves, and whether request_started is still to be sent in the first.
    rivet_half: Half
    rivet_start = False
    # Set by sync.serve: the view answered with an iterator.
    rivet_streams = False

    # What HttpRequest has and its stubs do not name.
    _encoding: str | None
    _set_content_type_params: Any

    def __init__(self, core: _core.Request) -> None:
        self.core = core
        self._read_started = False
        self._post_parse_error = False
        self.resolver_match = None
        self.method = core.method.upper()
        self.META = meta = core.meta()
        if not meta["QUERY_STRING"].isascii():
            # META holds latin-1; ASGIRequest reads the query as UTF-8, and what is none is a bad request.
            meta["QUERY_STRING"] = core.query_string.decode()
        self.path = self.path_info = core.path
        if settings.FORCE_SCRIPT_NAME:
            self._force_script_name(settings.FORCE_SCRIPT_NAME)
        if "CONTENT_TYPE" in meta:
            self._set_content_type_params(meta)
        else:
            self.content_type = ""
            self.content_params = {}

    def _force_script_name(self, script_name: str) -> None:
        prefix = script_name.rstrip("/")
        if self.path == prefix or self.path.startswith(prefix + "/"):
            self.path_info = self.path[len(prefix) :]
        self.META["SCRIPT_NAME"] = script_name
        self.META["PATH_INFO"] = self.path_info

    @cached_property
    def scope(self) -> dict[str, Any]:  # type: ignore[override]
        """The ASGI scope, for code that looks for it."""
        core = self.core
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": core.http_version,
            "method": core.method,
            "scheme": core.scheme,
            "path": core.path,
            "raw_path": core.raw_path,
            "query_string": core.query_string,
            "root_path": "",
            "headers": core.headers,
            "client": core.client,
            "server": core.server,
        }

    @cached_property
    def _stream(self) -> BinaryIO:  # type: ignore[override]  # Django assigns it; here it is opened on first use
        return self.core.file

    @cached_property
    def GET(self) -> QueryDict:  # type: ignore[override]
        return QueryDict(self.META["QUERY_STRING"], encoding=self._encoding)

    @cached_property
    def COOKIES(self) -> dict[str, str]:  # type: ignore[override]
        value = self.META.get("HTTP_COOKIE", "")
        # META holds latin-1; browsers send UTF-8, and WSGIRequest reads it so.
        return parse_cookie(value if value.isascii() else value.encode("latin-1").decode(errors="replace"))

    def _get_scheme(self) -> str:
        return self.core.scheme

    def parse_file_upload(self, META: Any, post_data: Any) -> Any:
        if "CONTENT_LENGTH" not in META:
            # A chunked upload: the length is known by now, and without one Django's parser takes the body for empty.
            stream = post_data if isinstance(post_data, BytesIO) else self._stream
            META = META | {"CONTENT_LENGTH": str(stream.seek(0, os.SEEK_END))}
            stream.seek(0)
        return super().parse_file_upload(META, post_data)

    def close(self) -> None:
        HttpRequest.close(self)  # ASGIRequest's would open the body to close it
        stream = self.__dict__.get("_stream")
        if stream is not None:
            stream.close()
