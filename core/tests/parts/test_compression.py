"""RIVET_COMPRESSION through the running engine: what is compressed, and above all what is not."""

import gzip
import json

import pytest

from django_rivet.server.thread import ServerThread
from raw_client import connect

TEXT = b"".join(b"<li>Item number %d of a list that is long enough</li>\n" % number for number in range(200))
JSON = {"items": [{"id": number, "name": f"item {number}"} for number in range(100)]}
HTML = ("Content-Type", "text/html; charset=utf-8")
ALL = ("Accept-Encoding", "gzip, deflate, br, zstd")

ANSWERS = {
    "/page": ([HTML, ("ETag", '"one"'), ("Vary", "Cookie")], TEXT),
    "/public": ([HTML, ("Cache-Control", "max-age=60, public")], TEXT),
    "/login": ([HTML, ("Set-Cookie", "sessionid=secret")], TEXT),
    "/short": ([HTML], TEXT[:400]),
    "/picture": ([("Content-Type", "image/png")], TEXT),
    "/download": ([("Content-Type", "application/octet-stream")], TEXT),
    "/gzipped": ([HTML, ("Content-Encoding", "gzip")], gzip.compress(TEXT)),
    "/as-it-is": ([HTML, ("Cache-Control", "private"), ("Cache-Control", "no-transform")], TEXT),
    "/star": ([HTML, ("Vary", "*")], TEXT),
    "/weak": ([HTML, ("ETag", 'W/"one"'), ("Vary", "accept-encoding")], TEXT),
}


def answer(request):
    if request.path == "/stream":
        request.start(200, [HTML])
        for start in range(0, len(TEXT), 1000):
            request.write(TEXT[start : start + 1000])
        request.end()
    elif request.path == "/unchanged":
        request.respond(304, [("ETag", '"one"')], b"")
    else:
        fields, body = ANSWERS[request.path]
        request.respond(200, fields, body)


def serve(compression):
    def setup(reactor):
        reactor.native([("GET", "/native", lambda: JSON, "sync")])
        reactor.fallback(answer)

    return ServerThread(setup, compression=compression)


@pytest.fixture(scope="module")
def server():
    with serve("gzip:6") as server:
        yield server


@pytest.fixture
def client(server):
    with connect((server.host, server.port)) as client:
        yield client


def plain(told) -> bytes:
    return gzip.decompress(told.body) if told.field("content-encoding") == "gzip" else told.body


def test_a_page(client):
    told = client.get("/page", ALL)
    assert told.field("content-encoding") == "gzip"
    assert gzip.decompress(told.body) == TEXT
    assert len(told.body) < len(TEXT) / 4
    assert told.field("content-length") == str(len(told.body))
    assert told.field("etag") == 'W/"one"'
    assert told.field("vary") == "Cookie, Accept-Encoding"
    assert told.field("content-type") == HTML[1]


def test_head_says_what_get_says(client):
    get, head = client.get("/page", ALL), client.ask("HEAD", "/page", [ALL])
    assert head.body == b""
    assert dict(head.fields) | {"Date": ""} == dict(get.fields) | {"Date": ""}


@pytest.mark.parametrize("accept", ["", "identity", "deflate", "br, zstd", "gzip;q=0", "gzip;q=0.1, identity", "*;q=0"])
def test_a_client_that_does_not_take_gzip(client, accept):
    told = client.get("/page", ("Accept-Encoding", accept))
    assert (told.field("content-encoding"), told.body, told.field("etag")) == (None, TEXT, '"one"')
    assert told.field("vary") == "Cookie, Accept-Encoding", "a cache must know that there are others"


@pytest.mark.parametrize("accept", ["gzip", "GZIP;q=0.001", "br, *;q=0.5", "deflate, gzip;q=1.000", "x-gzip"])
def test_a_client_that_takes_gzip(client, accept):
    told = client.get("/page", ("Accept-Encoding", accept))
    assert (told.field("content-encoding"), plain(told)) == ("gzip", TEXT)


@pytest.mark.parametrize("name", ["Cookie", "Authorization"])
def test_breach_no_page_of_a_user_is_compressed(client, name):
    told = client.get("/page", ALL, (name, "secret"))
    assert (told.field("content-encoding"), told.body) == (None, TEXT)
    assert told.field("vary") == "Cookie, Accept-Encoding"
    assert client.get("/public", ALL, (name, "secret")).field("content-encoding") == "gzip", "nothing of it is secret"
    native = client.get("/native", ALL, (name, "secret"))
    assert (native.field("content-encoding"), json.loads(native.body)) == (None, JSON)


@pytest.mark.parametrize("path", ["/login", "/short", "/picture", "/download", "/as-it-is"])
def test_left_alone(client, path):
    told = client.get(path, ALL)
    fields, body = ANSWERS[path]
    assert (told.field("content-encoding"), told.body) == (None, body)
    assert told.field("vary") is None
    assert told.field("content-length") == str(len(body))


def test_nothing_is_compressed_twice(client):
    told = client.get("/gzipped", ALL)
    assert gzip.decompress(told.body) == TEXT


def test_vary_is_merged(client):
    assert client.get("/star", ALL).field("vary") == "*"
    told = client.get("/weak", ALL)
    assert (told.field("vary"), told.field("etag")) == ("accept-encoding", 'W/"one"')


def test_unchanged_has_the_tag_of_what_a_cache_holds(client):
    told = client.get("/unchanged", ALL, ("If-None-Match", 'W/"one"'))
    assert (told.status, told.field("etag"), told.field("vary")) == (304, 'W/"one"', "Accept-Encoding")
    assert client.get("/unchanged", ("If-None-Match", '"one"')).field("etag") == '"one"'


def test_a_stream_comes_whole(client):
    told = client.get("/stream", ALL)
    assert plain(told) == TEXT
    assert told.field("vary") == "Accept-Encoding"


def test_a_native_answer(client):
    told = client.get("/native", ALL)
    assert told.field("content-encoding") == "gzip"
    assert json.loads(gzip.decompress(told.body)) == JSON
    assert told.field("vary") == "Accept-Encoding"
    assert json.loads(client.get("/native").body) == JSON


def test_levels_and_preference():
    sizes = {}
    for setting in "gzip:1", "gzip:9", "zstd:1", "zstd:19", "br:1", "br:9", "zstd,gzip", "gzip,zstd":
        with serve(setting) as server, connect((server.host, server.port)) as client:
            told = client.get("/page", ALL)
            assert told.field("content-encoding") == setting.split(",")[0].split(":")[0]
            sizes[setting] = len(told.body)
    assert sizes["gzip:9"] < sizes["gzip:1"]
    assert sizes["zstd:19"] < sizes["zstd:1"]
    assert sizes["br:9"] < sizes["br:1"]


def test_off_changes_nothing():
    with serve("off") as server, connect((server.host, server.port)) as client:
        told = client.get("/page", ALL)
        assert (told.field("content-encoding"), told.field("vary"), told.field("etag")) == (None, "Cookie", '"one"')
        assert told.body == TEXT
