"""A request of another server, as native handlers know requests: the surface of `django_rivet.Request`."""

import copy
import errno
import io
import os
import shutil
import uuid
from collections.abc import Awaitable
from functools import cached_property
from ipaddress import ip_address, ip_network
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast
from urllib.parse import quote, unquote_to_bytes

from django.http import HttpRequest
from django.utils.encoding import repercent_broken_unicode

from django_rivet import conf
from django_rivet._core import Request
from django_rivet.api.django_request import NativeRequest
from django_rivet.api.errors import HTTPError
from django_rivet.api.inside import Inside
from django_rivet.hatch.answer import Answer, Progress
from django_rivet.hatch.fields import joined

# What a disk says that is full.
_FULL = (errno.ENOSPC, errno.EDQUOT)


def too_large() -> HTTPError:
    """The body has more bytes than the option `max_body`."""
    return HTTPError(413, "the body is too large")


class HatchRequest:
    """What `_core.Request` documents, from Django's request. How it answers is up to `answer`.

    The client's address and the scheme are those that the server tells: it decides which proxies to believe.
    Under WSGI the fields are those of the environ: without their order, each name once.
    """

    def __init__(self, django: HttpRequest, answer: Answer, options: conf.Options) -> None:
        self._django = django
        self._options = options
        self.raw_path = raw_path(django)
        self._answer = answer
        self.answer_by(answer)

    def answer_by(self, answer: Answer) -> None:
        """Goes on with this way to answer; an answer that is there already is taken along."""
        answer.progress, answer.status, answer.fields = self._answer.progress, self._answer.status, self._answer.fields
        answer.body, answer.file, answer.spooled = self._answer.body, self._answer.file, self._answer.spooled
        answer.aborted = self._answer.aborted
        self._answer = answer
        self.respond = answer.respond
        self.start = answer.start
        self.write = answer.write
        self.end = answer.end
        self.abort = answer.abort
        self.send_file = answer.send_file
        self.drained = answer.drained
        self.wait_drained = answer.wait_drained
        self.on_disconnect = answer.on_disconnect

    @property
    def method(self) -> str:
        return cast(str, self._django.method)

    @property
    def path(self) -> str:
        return decoded(self.raw_path)

    @property
    def query_string(self) -> bytes:
        scope = _scope(self._django)
        query: str | bytes = scope.get("query_string", b"") if scope else self._django.META.get("QUERY_STRING", "")
        return query.encode("latin-1") if isinstance(query, str) else query

    @property
    def http_version(self) -> str:
        scope = _scope(self._django)
        version = scope.get("http_version") if scope else self._django.META.get("SERVER_PROTOCOL", "").partition("/")[2]
        return version or "1.1"

    @property
    def scheme(self) -> str:
        return self._django.scheme or "http"

    @property
    def client(self) -> tuple[str, int] | None:
        address = self._django.META.get("REMOTE_ADDR")
        return (address, int(self._django.META.get("REMOTE_PORT") or 0)) if address else None

    @property
    def server(self) -> tuple[str, int | None] | None:
        if scope := _scope(self._django):
            return tuple(scope["server"]) if scope.get("server") else None
        return self._django.META["SERVER_NAME"], int(self._django.META["SERVER_PORT"])

    @cached_property
    def id(self) -> str:
        if core := getattr(self._django, "core", None):
            return str(core.id)
        given = self.header("x-request-id") or ""
        good = 0 < len(given) <= 128 and given.isascii() and given.isprintable() and " " not in given
        trusted = good and _trusts(self._options.trusted_proxies, self._django.META.get("REMOTE_ADDR"))
        return given if trusted else uuid.uuid4().hex

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        if scope := _scope(self._django):
            return [(bytes(name), bytes(value)) for name, value in scope["headers"]]
        meta = self._django.META
        names = {key: key.removeprefix("HTTP_") for key in meta if key.startswith("HTTP_")}
        names |= {key: key for key in ("CONTENT_TYPE", "CONTENT_LENGTH") if meta.get(key)}
        return [
            (name.replace("_", "-").lower().encode("latin-1"), str(meta[key]).encode("latin-1"))
            for key, name in names.items()
        ]

    def header(self, name: str) -> str | None:
        return joined(self.headers, name)

    def meta(self) -> dict[str, Any]:
        meta = {key: value for key, value in self._django.META.items() if not key.startswith(("wsgi.", "gunicorn."))}
        return meta | {"PATH_INFO": self._django.path_info, "wsgi.multithread": True, "wsgi.multiprocess": True}

    @property
    def content_length(self) -> int | None:
        declared = self.header("content-length")
        if declared and declared.isdigit():
            return int(declared)
        return len(self.body) if "HTTP_TRANSFER_ENCODING" in self._django.META else None

    @property
    def disconnected(self) -> bool:
        return self._answer.gone

    @cached_property
    def body(self) -> bytes:
        self._spooled.seek(0)
        return self._spooled.read()

    @property
    def file(self) -> BinaryIO:
        if self._spooled.seek(0, os.SEEK_END) <= self._options.spool:
            return io.BytesIO(self.body)
        self._spooled.seek(0)
        return os.fdopen(os.dup(self._spooled.fileno()), "rb")

    def load(self) -> None:
        """Reads the body, as it is there before a handler runs. Raises HTTPError (413, 507)."""
        _ = self._spooled

    def _declared(self) -> int | None:
        length = self._django.META.get("CONTENT_LENGTH") or ""
        return int(length) if length.isdigit() else None

    @cached_property
    def _spooled(self) -> SpooledTemporaryFile[bytes]:
        limit = self._options.max_body
        if (self._declared() or 0) > limit:
            raise too_large()
        file = SpooledTemporaryFile[bytes](self._options.spool)  # noqa: SIM115  it lives as long as the request
        try:
            shutil.copyfileobj(_Limited(_stream(self._django), limit), cast(BinaryIO, file))
        except OSError as error:
            if error.errno not in _FULL:
                raise
            raise HTTPError(507, "the body cannot be kept") from None
        return file

    @property
    def outer(self) -> HttpRequest:
        """The server's own request, which has been through the project's middleware."""
        return self._django

    @cached_property
    def _inside(self) -> Inside:
        return Inside(cast(Request, copy.copy(self)))

    @property
    def _touched(self) -> bool:
        return "_inside" in self.__dict__ and self._inside.touched

    @property
    def _answered(self) -> bool:
        return self._answer.progress != Progress.WAITING

    @property
    def django(self) -> NativeRequest:
        return self._inside.django

    @property
    def session(self) -> Any:
        return self._inside.session

    @property
    def user(self) -> Any:
        return self._inside.user

    @user.setter
    def user(self, user: Any) -> None:
        self._inside.user = user

    async def asession(self) -> Any:
        return await self._inside.asession()

    async def auser(self) -> Any:
        return await self._inside.auser()

    def read(self) -> Awaitable[bytes]:
        raise RuntimeError("the body is being read already, or is not a stream")

    def __del__(self) -> None:
        # Nobody is left to end what was begun: the client must see that it is not whole.
        if self._answer.progress == Progress.STARTED:
            self._answer.abort()

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.path}>"


class _Limited:
    """Raises HTTPError (413) when more than `limit` bytes are read."""

    def __init__(self, stream: Any, limit: int) -> None:
        self._stream = stream
        self._left = limit

    def read(self, size: int = -1, /) -> bytes:
        data: bytes = self._stream.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise too_large()
        return data


def _scope(django: HttpRequest) -> Any:
    """The ASGI scope; None under WSGI."""
    return getattr(django, "scope", None)


def _stream(django: HttpRequest) -> Any:
    if core := getattr(django, "core", None):  # ours: it can be read again, whatever middleware has read
        return core.file
    if hasattr(django, "_body"):  # middleware has read it
        return io.BytesIO(django.body)
    environ = getattr(django, "environ", {})
    if environ.get("wsgi.input_terminated") and "CONTENT_LENGTH" not in environ:
        # A chunked body, which Django takes for empty under WSGI: the server says that it ends by itself.
        return environ["wsgi.input"]
    return django


def raw_path(django: HttpRequest) -> bytes:
    """The path as it was sent; where the server does not tell, the decoded one encoded anew."""
    path = django.path
    if scope := _scope(django):
        raw = (scope.get("raw_path") or b"").partition(b"?")[0]
        told = raw.startswith(b"/")
    else:
        raw = (django.META.get("RAW_URI") or django.META.get("REQUEST_URI") or "").encode("latin-1").partition(b"?")[0]
        told = decoded(raw) == path  # and not one from before a rewrite
    return raw if told else quote(path, safe="/~:@!$&'()*+,;=").encode()


def decoded(raw: bytes) -> str:
    """A path as Django decodes it: bytes that are no UTF-8 stay percent-encoded."""
    return repercent_broken_unicode(unquote_to_bytes(raw)).decode()


def _trusts(proxies: str, address: str | None) -> bool:
    """Whether the option `trusted_proxies` names this peer."""
    listed = [entry.strip() for entry in proxies.split(",") if entry.strip()]
    if not address:
        return "*" in listed or "unix" in listed
    try:
        peer = ip_address(address)
    except ValueError:
        return "*" in listed
    return any(entry == "*" or (entry != "unix" and peer in ip_network(entry, strict=False)) for entry in listed)
