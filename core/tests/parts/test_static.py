"""Static files through the running engine: what a browser, a download manager and an attacker get."""

import os
from pathlib import Path

import pytest

from django_rivet.server.thread import ServerThread
from raw_client import Client, connect
from waiting import until

LARGE = bytes(range(256)) * 20_000  # 5 MB: more than any socket's buffer
SMALL = b"body { color: red }\n" * 50


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    outer = tmp_path_factory.mktemp("outer")
    root = outer / "static"
    (root / "css").mkdir(parents=True)
    (root / ".git").mkdir()
    for name, body in {
        "css/site.css": SMALL,
        "css/site.css.br": b"brotli",
        "css/site.css.gz": b"gzipped",
        "css/site.55e7cbb9ba48.css": SMALL,
        "film.mp4": LARGE,
        "space in name.txt": b"space",
        "größe.txt": b"umlaut",
        "empty.txt": b"",
        ".env": b"secret",
        ".git/config": b"secret",
        "../secret.txt": b"secret",
    }.items():
        (root / name).write_bytes(body)
    (root / "out.txt").symlink_to("../secret.txt")
    (root / "folder-out").symlink_to("..")
    (root / "in.css").symlink_to("css/site.css")
    return root


@pytest.fixture(scope="module")
def server(root):
    def setup(reactor):
        reactor.files("/static/", str(root), immutable=True)
        reactor.fallback(lambda request: request.respond(200, [("X-Path", request.path)], b"fallback"))

    with ServerThread(setup) as server:
        yield server


@pytest.fixture
def client(server):
    with connect((server.host, server.port)) as client:
        yield client


def test_a_file_with_its_fields(client: Client):
    told = client.get("/static/css/site.css")
    assert (told.status, told.body) == (200, SMALL)
    for name, value in {
        "content-type": "text/css; charset=utf-8",
        "content-length": str(len(SMALL)),
        "cache-control": "public, max-age=60",
        "x-content-type-options": "nosniff",
        "vary": "Accept-Encoding",
        "accept-ranges": "bytes",
        "content-encoding": None,
        "connection": None,
    }.items():
        assert told.field(name) == value, name
    assert told.field("date") and told.field("last-modified") and told.field("etag")
    head = client.ask("HEAD", "/static/css/site.css")
    assert (head.status, head.body) == (200, b"")
    assert dict(head.fields) | {"Date": ""} == dict(told.fields) | {"Date": ""}
    hashed = client.get("/static/css/site.55e7cbb9ba48.css")
    assert hashed.field("cache-control") == "public, max-age=31536000, immutable"
    assert client.get("/static/space%20in%20name.txt").body == b"space"
    assert client.get("/static/gr%C3%B6%C3%9Fe.txt?v=1").body == b"umlaut"
    assert client.get("/static/in.css").body == SMALL
    assert client.get("/static/empty.txt").field("content-length") == "0"


def test_a_second_visit_sends_nothing(client: Client):
    told = client.get("/static/css/site.css")
    etag, date = told.field("etag"), told.field("last-modified")
    for fields in [("If-None-Match", etag)], [("If-None-Match", f'"x", W/{etag}')], [("If-Modified-Since", date)]:
        again = client.get("/static/css/site.css", *fields)
        assert (again.status, again.body) == (304, b"")
        assert (again.field("etag"), again.field("vary")) == (etag, "Accept-Encoding")
        assert again.field("content-type") is None
    changed = client.get("/static/css/site.css", ("If-None-Match", '"x"'), ("If-Modified-Since", date))
    assert changed.status == 200


@pytest.mark.parametrize(
    ("accept", "coding", "body"),
    [
        ("gzip, deflate, br, zstd", "br", b"brotli"),
        ("gzip, br;q=0.1", "gzip", b"gzipped"),
        ("br;q=0, gzip;q=0, *", None, SMALL),
        ("zstd", None, SMALL),
    ],
)
def test_precompressed(client: Client, accept, coding, body):
    told = client.get("/static/css/site.css", ("Accept-Encoding", accept))
    assert (told.field("content-encoding"), told.body) == (coding, body)
    assert told.field("content-type") == "text/css; charset=utf-8"
    assert told.field("vary") == "Accept-Encoding"


def test_parts(client: Client):
    part = client.get("/static/film.mp4", ("Range", "bytes=1000000-1000255"))
    assert (part.status, part.body) == (206, LARGE[1_000_000:1_000_256])
    assert part.field("content-range") == f"bytes 1000000-1000255/{len(LARGE)}"
    last = client.get("/static/css/site.css", ("Range", "bytes=-5"))
    assert (last.status, last.body) == (206, SMALL[-5:])
    assert client.get("/static/css/site.css", ("Range", "bytes=5-"), ("If-Range", '"old"')).body == SMALL
    beyond = client.get("/static/css/site.css", ("Range", "bytes=99999-"))
    assert (beyond.status, beyond.field("content-range")) == (416, f"bytes */{len(SMALL)}")


def test_a_large_file_comes_whole_to_fast_and_slow(server, client: Client):
    with connect((server.host, server.port)) as slow:
        slow.send("GET", "/static/film.mp4")
        slow.send("GET", "/static/css/site.css")
        assert client.get("/static/film.mp4").body == LARGE
        assert client.ask("HEAD", "/static/film.mp4").field("content-length") == str(len(LARGE))
        assert slow.answer().body == LARGE
        assert slow.answer().body == SMALL


def test_many_requests_at_once_are_answered_in_order(client: Client):
    targets = ["/static/css/site.css", "/static/empty.txt", "/other", "/static/no", "/static/film.mp4"] * 20
    request = "".join(f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n" for target in targets)
    client.socket.sendall(request.encode())
    expected = [SMALL, b"", b"fallback", None, LARGE] * 20
    for target, body in zip(targets, expected, strict=True):
        answer = client.answer()
        assert answer.status == (404 if body is None else 200), target
        assert body is None or answer.body == body, target


def test_large_files_that_are_asked_for_at_once_are_opened_one_by_one(server, client: Client):
    def descriptors() -> int:
        return len(os.listdir("/proc/self/fd"))

    with connect((server.host, server.port)) as greedy:
        client.get("/static/film.mp4")
        before = descriptors()
        greedy.socket.sendall(b"GET /static/film.mp4 HTTP/1.1\r\nHost: a\r\n\r\n" * 500)
        for _ in range(20):  # turns, of which each takes some of the requests
            client.get("/static/empty.txt")
        assert descriptors() - before < 10
        for _ in range(3):
            assert greedy.answer().body == LARGE


@pytest.mark.parametrize(
    "target",
    [
        "/static/../secret.txt",
        "/static/%2e%2e/secret.txt",
        "/static/..%2fsecret.txt",
        "/static/css/../../secret.txt",
        "/static/%2fetc/passwd",
        "/static//etc/passwd",
        "/static/..%5csecret.txt",
        "/static/out.txt",
        "/static/folder-out/secret.txt",
        "/static/.env",
        "/static/.git/config",
        "/static/css/site.css%00.txt",
        "/static/css",
        "/static/css/",
        "/static/",
        "/static/" + "x" * 5000,
    ],
)
def test_nothing_but_the_files(client: Client, target):
    told = client.get(target)
    assert told.status in (400, 404), told
    assert b"secret" not in told.body and b"root:" not in told.body


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_other_methods_are_refused_and_their_bodies_are_no_requests(server, method):
    """The body of a request that is answered at once must never be read as the next request."""
    body = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
    with connect((server.host, server.port)) as client:
        told = client.ask(method, "/static/css/site.css", [("Content-Length", str(len(body)))], body)
        assert (told.status, told.field("allow")) == (405, "GET, HEAD")
        rest = b"" if told.field("connection") == "close" else client.get("/static/empty.txt").fields
        assert "/smuggled" not in str(rest)
        assert told.field("connection") != "close" or client.file.read() == b""


@pytest.mark.parametrize("target", ["/static/css/site.css", "/health/live", "/static/no"])
def test_the_body_of_a_get_is_no_request(server, target):
    body = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
    with connect((server.host, server.port)) as client:
        told = client.ask("GET", target, [("Content-Length", str(len(body)))], body)
        assert told.status in (200, 404)
        if told.field("connection") == "close":
            assert client.file.read() == b""
        else:
            assert client.get("/next").field("x-path") == "/next"


def test_what_is_not_below_the_prefix_goes_on(client: Client):
    for target in "/", "/static", "/staticky/a", "/Static/css/site.css":
        assert client.get(target).body == b"fallback", target


def test_a_new_version_is_seen(client: Client, root: Path):
    (root / "new.txt").write_text("old")
    assert client.get("/static/new.txt").body == b"old"
    (root / "new.txt.tmp").write_text("new!")
    os.replace(root / "new.txt.tmp", root / "new.txt")
    told = until(lambda: (told := client.get("/static/new.txt")).body != b"old" and told, "the new version")
    assert (told.body, told.field("content-length")) == (b"new!", "4")


def test_a_file_cut_short_while_it_is_sent_cuts_the_connection(server, root: Path):
    """Content-Length is out already: without a cut the client would wait, or take other bytes for the rest."""
    path = root / "log.bin"
    path.write_bytes(LARGE * 4)
    with connect((server.host, server.port)) as client:
        client.send("GET", "/static/log.bin")
        status, fields = client.head()
        assert (status, dict(fields)["Content-Length"]) == (200, str(len(LARGE) * 4))
        os.truncate(path, 1000)
        assert len(client.file.read()) < len(LARGE) * 4
