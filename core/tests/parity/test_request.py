"""Our request against Django's ASGIRequest and WSGIRequest, on what the engine really hands over."""

import io
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django
import pytest
from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.wsgi import WSGIRequest
from django.http.request import HttpHeaders
from django.test import override_settings

from django_rivet.django import DjangoHandler, Pool
from django_rivet.django.request import RivetRequest
from django_rivet.server.thread import ServerThread

HOST = b"Host: example.org\r\n"
TARGETS = [
    b"/",
    b"/a/b?x=1&y=2&x=3",
    b"/caf%C3%A9/%20?q=%C3%A9+%26",
    b"/%E9/broken",
    b"/%ff%fe",
    b"//double//slash/",
    b"/a%2Fb/%25/%3F",
    b"/a;b=c/d,e?;;",
    b"/?",
    b"/x?a=%ff&b=%",
]
FIELDS = [
    b"",
    b"User-Agent: test\r\nAccept: */*\r\nAccept-Encoding: gzip, br\r\n",
    b"X-One: a\r\nX-One: b\r\nx-ONE: c\r\n",
    b"Cookie: a=1; b=2\r\nCookie: c=3\r\n",
    b"Cookie: a=1;\r\nCookie: b=2; \r\n",
    b"Cookie: name=caf\xc3\xa9\r\n",
    b"X_Under: spoofed\r\nX-Forwarded-For: 1.2.3.4\r\n",
    b"X-Latin: caf\xe9\r\nX-Empty:\r\nX-Space:  a  b \r\n",
    b"Content-Type: text/html; charset=latin-1\r\n",
    b"Referer: http://example.org/%C3%A9\r\nX-Long: " + b"v" * 5000 + b"\r\n",
]
FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"
PART = b'--B\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
MULTIPART = PART % (b"a", b"", b"1") + PART % (b"f", b'; filename="f.txt"', b"content" * 20) + b"--B--\r\n"


class Seen:
    """What the handler got: the engine's request, and Django's and ours made of it."""

    def __init__(self) -> None:
        self.check: Any = None
        self.error: BaseException | None = None

    def __call__(self, core: Any) -> None:
        try:
            self.check(core)
        except BaseException as error:
            self.error = error
        core.respond(200, [], b"")


@pytest.fixture(scope="module")
def seen() -> Iterator[tuple[Seen, ServerThread]]:
    seen = Seen()
    with ServerThread(lambda reactor: reactor.fallback(seen), spool=65536) as server:
        yield seen, server


def scope(core: Any) -> dict[str, Any]:
    """As an ASGI server would hand it to Django."""
    return {
        "type": "http",
        "method": core.method,
        "path": core.path,
        "query_string": core.query_string,
        "headers": core.headers,
        "client": core.client,
        "server": core.server,
        "scheme": core.scheme,
    }


def ask(seen: tuple[Seen, ServerThread], data: bytes, check: Any) -> None:
    handler, server = seen
    handler.check, handler.error = check, None
    with socket.create_connection((server.host, server.port), timeout=20) as client:
        client.sendall(data)
        assert client.recv(100).startswith(b"HTTP/1.1 200"), data
    if handler.error is not None:
        raise handler.error


def stock_meta(theirs: ASGIRequest, core: Any) -> dict[str, Any]:
    """What stock has. Django 5.2 makes one cookie of two fields, by a comma: there ours is as in 6.1."""
    if django.VERSION >= (6, 1) or "HTTP_COOKIE" not in theirs.META:
        return theirs.META
    cookies = [value.decode("latin-1") for name, value in core.headers if name == b"cookie"]
    assert theirs.META["HTTP_COOKIE"] == ",".join(cookies)
    return theirs.META | {"HTTP_COOKIE": "; ".join(cookie.rstrip("; ") for cookie in cookies)}


@pytest.mark.parametrize("fields", FIELDS)
@pytest.mark.parametrize("target", TARGETS)
def test_meta(target: bytes, fields: bytes, seen: tuple[Seen, ServerThread]) -> None:
    def check(core: Any) -> None:
        theirs, ours = ASGIRequest(scope(core), io.BytesIO()), RivetRequest(core)
        meta = stock_meta(theirs, core)
        assert meta == ours.META
        assert list(ours.META) != [] and isinstance(ours, ASGIRequest)
        for name in ("path", "path_info", "method", "scheme", "encoding", "content_type", "content_params"):
            assert getattr(ours, name) == getattr(theirs, name), name
        # ASGIRequest does not heed the request's encoding here; the documentation of HttpRequest.encoding says to.
        assert ours.GET == WSGIRequest(environ(core)).GET
        assert ours.headers == HttpHeaders(meta)
        assert ours.get_full_path() == theirs.get_full_path()
        assert ours.build_absolute_uri() == theirs.build_absolute_uri()
        assert ours.COOKIES == WSGIRequest(environ(core)).COOKIES

    with override_settings(ALLOWED_HOSTS=["*"]):
        ask(seen, b"GET " + target + b" HTTP/1.1\r\n" + HOST + fields + b"\r\n", check)


def environ(core: Any) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": core.method,
        "PATH_INFO": core.path.encode().decode("latin-1"),
        "QUERY_STRING": core.query_string.decode("latin-1"),
        "wsgi.input": io.BytesIO(core.body),
        "wsgi.url_scheme": core.scheme,
        **{key: value for key, value in core.meta().items() if key.startswith(("HTTP_", "CONTENT_"))},
    }


def chunked(body: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:7], body[7:])) + b"0\r\n\r\n"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (FORM, b"a=1&b=caf%C3%A9&a=2"),
        (FORM, b"a=" + b"x" * 200_000),
        (b"Content-Type: multipart/form-data; boundary=B\r\n", MULTIPART),
        (b"Content-Type: multipart/form-data; boundary=B\r\n", MULTIPART.replace(b"content", b"content" * 5000)),
        (b"Content-Type: application/json\r\n", b'{"a": 1}'),
        (b"", b""),
    ],
)
@pytest.mark.parametrize("chunks", [False, True])
def test_body(kind: bytes, body: bytes, chunks: bool, seen: tuple[Seen, ServerThread]) -> None:
    """The same data and files as under WSGI, also when the body is in a temporary file, or its length was not told."""

    def parsed(core: Any) -> None:
        told = environ(core) | {"CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body)}
        theirs, ours = WSGIRequest(told), RivetRequest(core)
        assert dict(ours.POST.lists()) == dict(theirs.POST.lists())
        assert {name: file.read() for name, file in ours.FILES.items()} == {
            name: file.read() for name, file in theirs.FILES.items()
        }
        ours.close()

    def read(core: Any) -> None:
        ours = RivetRequest(core)
        assert ours.read(5) == body[:5]
        assert ours.read() == body[5:]

    def whole(core: Any) -> None:
        with override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=None):
            assert RivetRequest(core).body == body

    length = b"Transfer-Encoding: chunked\r\n" if chunks else b"Content-Length: %d\r\n" % len(body)
    data = chunked(body) if chunks else body
    for check in (parsed, read, whole):
        ask(seen, b"POST /post HTTP/1.1\r\n" + HOST + kind + length + b"\r\n" + data, check)


# Where stock's path_info in Django 5.2 is none: it cuts the name off as it stands, in the middle of a segment too.
WRONG_IN_5_2 = {
    ("/app/", "/app/x"): "x",
    ("/app/", "/app/"): "",
    ("/app/", "/app"): "/app",
    ("/app", "/application/x"): "lication/x",
}


@pytest.mark.parametrize("name", ["/app", "/app/"])
@pytest.mark.parametrize(
    ("target", "path_info"),
    [("/app/x", "/x"), ("/app/", "/"), ("/app", ""), ("/application/x", "/application/x"), ("/x", "/x")],
)
def test_force_script_name(name: str, target: str, path_info: str, seen: tuple[Seen, ServerThread]) -> None:
    def check(core: Any) -> None:
        with override_settings(FORCE_SCRIPT_NAME=name):
            theirs, ours = ASGIRequest(scope(core), io.BytesIO()), RivetRequest(core)
        assert (ours.path, ours.path_info) == (target, path_info)
        meta = theirs.META
        if django.VERSION < (6, 1) and (name, target) in WRONG_IN_5_2:
            assert theirs.path_info == WRONG_IN_5_2[name, target]
            meta |= {"PATH_INFO": path_info}
        assert meta == ours.META

    ask(seen, b"GET " + target.encode() + b" HTTP/1.1\r\n" + HOST + b"\r\n", check)


@pytest.fixture(scope="module", params=["always", "never"])
def server(request: pytest.FixtureRequest) -> Iterator[ServerThread]:
    """Django's views on the real engine."""
    pool = Pool(2)
    with ServerThread(lambda reactor: reactor.fallback(DjangoHandler(pool, inline=request.param))) as server:
        yield server
    assert pool.close(10)


def answer(server: ServerThread, data: bytes) -> tuple[bytes, bytes]:
    with socket.create_connection((server.host, server.port), timeout=20) as client:
        client.sendall(data)
        got = b""
        while part := client.recv(65536):
            got += part
    head, _, body = got.partition(b"\r\n\r\n")
    return head, body


CLOSE = HOST + b"Connection: close\r\n"


def test_query_that_is_no_utf8_is_refused(server: ServerThread) -> None:
    """As ASGIHandler does."""
    assert answer(server, b"GET /x?\xff HTTP/1.1\r\n" + CLOSE + b"\r\n")[0].startswith(b"HTTP/1.1 400")


def test_post_through_the_engine(server: ServerThread) -> None:
    kind = b"Content-Type: multipart/form-data; boundary=B\r\nCookie: csrftoken=%s\r\nX-CSRFToken: %s\r\n"
    token = b"a" * 32
    data = b"POST /post HTTP/1.1\r\n" + CLOSE + kind % (token, token)
    data += b"Content-Length: %d\r\n\r\n%s" % (len(MULTIPART), MULTIPART)
    head, body = answer(server, data)
    assert head.startswith(b"HTTP/1.1 200"), head
    assert json.loads(body) == {"post": {"a": ["1"]}, "files": {"f": ["f.txt", "content" * 20]}}


def test_file_is_sent_by_the_engine(server: ServerThread) -> None:
    import views

    head, body = answer(server, b"GET /file HTTP/1.1\r\n" + CLOSE + b"\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert body == Path(views.__file__).read_bytes()
    assert f"content-length: {os.path.getsize(views.__file__)}".encode() in head.lower()
