"""One suite of expectations, on three servers: the same handlers give the same answers."""

import contextlib
import http.client
import socket

import msgspec
import pytest

from three import SITE, until

pytestmark = pytest.mark.usefixtures("three")
KINDS = ["sync", "async", "suspends"]
TOO_LARGE = b'{"type":"about:blank","title":"Content Too Large","status":413,"detail":"the body is too large"}'
LARGE = 3  # MiB, of a body: above what is kept in memory, and above Django's bound for request.body


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("name", "status", "content_type", "body"),
    [
        ("dict", 200, "application/json", '{"a":[1,null,"ü"]}'.encode()),
        ("list", 200, "application/json", b"[]"),
        ("struct", 200, "application/json", b'{"x":1,"y":2}'),
        ("float", 200, "application/json", b"1.5"),
        ("str", 200, "text/plain; charset=utf-8", "grüße".encode()),
        ("bytes", 200, "application/octet-stream", b"\0\xff"),
        ("none", 204, None, b""),
    ],
)
def test_what_handlers_return(server, kind, name, status, content_type, body):
    response, got = server.get(f"/values/{kind}/{name}")
    assert (response.status, response.headers["content-type"], got) == (status, content_type, body)
    # Django's CommonMiddleware gives its answers without a body a Content-Length too.
    assert response.headers["content-length"] in ((None, "0") if status == 204 else (str(len(body)),))


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize(("name", "status"), [("struct", 200), ("str", 500), ("bytes", 500), ("none", 500)])
def test_what_handlers_have_not_declared(server, kind, name, status):
    response, _ = server.get(f"/undeclared/{kind}/{name}")
    assert response.status == status
    assert status == 200 or "is declared to return Point and has returned" in server.output


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/two/1/x/2", b'["1","2"]'),
        ("/two/caf%C3%A9/x/a%20b?q=1", '["café","a b"]'.encode()),
        ("/two/a+b/x/-", b'["a+b","-"]'),
        ("/two/%25FF/x/%252F", b'["%FF","%2F"]'),
        ("/plain~(path)", b"plain"),
        ("/plain~%28path%29", b"plain"),
        ("/items/special", b"special"),
        ("/items/special1", b'{"read":"special1"}'),
        ("/page/django", b"page django"),
    ],
)
def test_paths(server, path, body):
    response, got = server.get(path)
    assert (response.status, got) == (200, body)


@pytest.mark.parametrize(
    "path", ["/two/1/x", "/two/1/x/2/", "/two//x/2", "/1/x/2", "/two/%FF/x/2", "/%74wo/1/x/2", "/two%2F1/x/2"]
)
def test_paths_that_are_not_there(server, path):
    assert server.get(path)[0].status == 404


def test_an_escaped_slash_stays_in_its_parameter(server):
    response, got = server.get("/two/a%2Fb/x/c%2fd")
    if server.name == "gunicorn":  # WSGI decodes paths before the application sees them
        assert response.status == 404
    else:
        assert (response.status, got) == (200, b'["a/b","c/d"]')


def test_methods_of_one_path(server, servers):
    assert server.get("/items/5")[1] == b'{"read":"5"}'
    assert server.get("/items/5", "POST")[1] == b'{"written":"5"}'
    head, body = server.get("/items/5", "HEAD")
    assert (head.status, head.headers["content-length"], body) == (200, "12", b"")
    wrong, body = server.get("/items/5", "DELETE")
    assert (wrong.status, wrong.headers["allow"]) == (405, "GET, POST, HEAD, OPTIONS")
    engines, expected = servers("runrivet").get("/items/5", "DELETE")
    assert (wrong.headers["content-type"], body) == (engines.headers["content-type"], expected)
    options, body = server.get("/items/5", "OPTIONS")
    assert (options.status, options.headers["allow"], body) == (204, "GET, POST, HEAD, OPTIONS", b"")


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_a_path_that_has_websockets_only(server, servers, method):
    response, body = server.get("/echo/x", method)
    engines, expected = servers("runrivet").get("/echo/x", method)
    fields = [response.headers[name] for name in ("upgrade", "connection", "sec-websocket-version", "allow")]
    if method != "POST" and server.name != "gunicorn":  # WSGI has no WebSockets
        assert (response.status, fields) == (426, ["websocket", "Upgrade", "13", None])
        assert (body, response.headers["content-type"]) == (expected, engines.headers["content-type"])
        assert method == "HEAD" or msgspec.json.decode(body)["title"] == "Upgrade Required"
        return
    assert (response.status, response.headers["upgrade"], response.headers["allow"]) == (405, None, "OPTIONS")


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("size", [0, 4, LARGE << 20])
@pytest.mark.parametrize("chunked", [False, True])
def test_what_a_request_tells(server, kind, size, chunked):
    body = b"x" * size
    headers = {"X-One": "1", "X-Request-ID": "untrusted"}
    sent = iter([body[: size // 2], body[size // 2 :]]) if chunked else body
    response, got = server.get(f"/facts/{kind}/caf%C3%A9?a=b%20c", "POST", body=sent, headers=headers)
    facts = msgspec.json.decode(got)
    assert facts.pop("length") in ((None, size) if chunked else (size,))
    assert facts == {
        "method": "POST",
        "path": f"/facts/{kind}/café",
        "raw_path": f"/facts/{kind}/caf%C3%A9",
        "query": "a=b%20c",
        "http_version": "1.1",
        "scheme": "http",
        "client": "127.0.0.1",
        "id": 32,
        "header": "1",
        "cookie": None,
        "missing": None,
        "sent": ["x-one", "x-request-id"],
        "body": size,
        "file": size,
        "last": "x" * min(3, size),
        "disconnected": False,
        "meta": {"REQUEST_METHOD": "POST", "PATH_INFO": f"/facts/{kind}/café", "HTTP_X_ONE": "1"},
    }


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_fields_that_came_more_than_once_are_joined(server, kind):
    with contextlib.closing(server.http()) as connection:
        connection.putrequest("POST", f"/facts/{kind}/x")
        for name, value in (("X-One", "1"), ("Cookie", "a=1"), ("x-one", "2"), ("Cookie", "b=2"), ("X-ONE", "3")):
            connection.putheader(name, value)
        connection.putheader("Content-Length", "0")
        connection.endheaders()
        facts = msgspec.json.decode(connection.getresponse().read())
    cookie = "a=1,b=2" if server.name == "gunicorn" else "a=1; b=2"  # joined before the application sees them
    assert (facts["header"], facts["cookie"]) == ("1,2,3", cookie)


def test_lists_in_header_fields(server):
    with contextlib.closing(server.http()) as connection:
        connection.putrequest("GET", "/listed")
        for value in ("a", 'b, "c, d"', "e"):
            connection.putheader("X-Tag", value)
        connection.endheaders()
        assert msgspec.json.decode(connection.getresponse().read()) == ["a", "b", '"c, d"', "e"]


@pytest.mark.parametrize(
    ("path", "chunked"),
    [
        ("/facts/sync/x", False),
        ("/facts/sync/x", True),
        ("/facts/async/x", False),
        ("/facts/async/x", True),
        ("/items/5", False),
    ],
)
def test_a_body_above_the_bound(server, path, chunked):
    body = b"x" * ((4 << 20) + 1)
    connection = server.http()
    # A server may answer and close while the rest of the body is still on its way.
    with contextlib.suppress(ConnectionError), contextlib.closing(connection):
        with contextlib.suppress(ConnectionError):
            connection.request("POST", path, body=iter([body]) if chunked else body)
        response = connection.getresponse()
        assert (response.status, response.read()) == (413, TOO_LARGE)
        return
    pytest.fail("no answer")


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_an_answer_of_ones_own(server, kind):
    response, body = server.get(f"/respond/{kind}")
    assert (response.status, response.headers["x-one"], body) == (418, "1", b"by myself")
    assert ", ".join(response.headers.get_all("link")) == "<a>, <b>"
    assert response.headers.get_all("set-cookie") == ["a=1; Path=/", "b=2; Path=/"]
    assert "content-type" not in response.headers


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_mistakes_have_the_same_errors(server, kind):
    before = len(msgspec.json.decode(server.seen("mistake")))
    response, body = server.get(f"/mistakes/{kind}")
    assert (response.status, body.decode().splitlines()) == (
        200,
        [
            "99 is no status of an answer: it must be from 200 to 599",
            'no valid header field: "a b": ""',
            r'no valid header field: "a": "b\r\nc: d"',
            "write() comes after start() and before end()",
            "end() comes once, after start()",
        ],
    )
    answered = "mistake: this request has been answered already"
    until(lambda: server.seen("mistake").count("mistake:") == before + 3, "the mistakes after the answer")
    assert msgspec.json.decode(server.seen("mistake"))[before:] == [
        answered,
        answered,
        "mistake: end() comes once, after start()",
    ]


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_streams(server, kind):
    response, body = server.get(f"/stream/{kind}")
    assert (response.status, response.headers["content-type"]) == (200, "text/plain")
    assert body == b"".join(b"%3d," % number * 1000 for number in range(100))


@pytest.mark.parametrize("path", ["/values/sync/str", "/respond/async", "/stream/sync", "/stream/async", "/file/sync"])
def test_head_sends_no_body(server, path):
    with contextlib.closing(server.http()) as connection:
        connection.request("HEAD", path)
        response = connection.getresponse()
        assert (response.status, response.read()) == (418 if "respond" in path else 200, b"")
        # What came all the same would be taken for the next answer.
        connection.request("GET", "/values/sync/list")
        assert connection.getresponse().read() == b"[]"


def test_a_stream_of_known_length(server):
    response, body = server.get("/stream/sized")
    assert (response.headers["content-length"], body) == ("6", b"onetwo")


@pytest.mark.parametrize("name", ["short", "aborted", "forgotten", "forgotten/sync", "failed"])
def test_a_stream_that_breaks_off_shows(server, name):
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        server.get(f"/stream/{name}")


def test_a_stream_arrives_as_it_is_written(server):
    with contextlib.closing(server.http()) as connection:
        connection.request("GET", "/stream/live/now")
        response = connection.getresponse()
        assert [response.readline(), response.readline()] == [b"data: one\n", b"\n"]
        server.get("/say/go%20on%20now", "POST")
        assert response.read() == b"data: two\n\n"


def test_a_handler_hears_of_a_client_that_leaves(server):
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=10)
    connection.sendall(b"GET /endless/client HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    assert connection.recv(1000)
    connection.close()
    until(lambda: "client left" in server.seen("client"), "on_disconnect")
    until(lambda: "client ended true" in server.seen("client").replace("T", "t"), "the handler's end")


@pytest.mark.parametrize("kind", ["request", "none"])
def test_a_client_that_leaves_before_the_answer_cancels_the_handler(socket_server, kind):
    connection = socket.create_connection(("127.0.0.1", socket_server.port), timeout=10)
    connection.sendall(f"GET /waits/{kind} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    until(lambda: f"waits {kind} begun" in socket_server.seen("waits"), "the handler")
    connection.close()
    until(lambda: f"waits {kind} cancelled" in socket_server.seen("waits"), "the handler's end")


def test_work_after_the_answer(server):
    assert server.get("/after/this")[1] == b"done"
    until(lambda: "after this" in server.seen("after"), "the work after the answer")


def test_files(server):
    whole = (SITE / "shop/api.py").read_bytes()
    size = str(len(whole))
    response, body = server.get("/file/sync")
    assert (response.headers["content-type"], response.headers["content-length"]) == ("application/x-test", size)
    assert body == whole
    response, body = server.get("/file/async")
    assert (response.status, response.headers["content-length"], body) == (206, "44", whole[256:300])
    head, body = server.get("/file/sync", "HEAD")
    assert (head.headers["content-length"], body) == (size, b"")
    assert server.get("/file/missing")[0].status == 500


@pytest.mark.parametrize("path", ["/fails/x", "/fails/sync/x", *(f"/values/{kind}/object" for kind in KINDS)])
def test_an_error_is_500_and_tells_nothing(server, servers, path):
    response, body = server.get(path)
    engines, expected = servers("runrivet").get(path)
    assert (response.status, response.headers["content-type"]) == (500, engines.headers["content-type"])
    assert body == expected and b"secret" not in body
    if path.startswith("/fails"):
        until(lambda: "KeyError: 'secret x'" in server.output, "the log")


@pytest.mark.parametrize("kind", ["sync", "async", "request"])
def test_the_database(server, kind):
    assert server.get(f"/database/{kind}")[1] == b"2"


def test_names_lead_to_paths(server):
    assert msgspec.json.decode(server.get("/links")[1]) == {
        "reversed": "/two/x%20y/x/%C3%A9",
        "template": "/items/7",
        "same path": "/items/8",
    }


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize(
    ("path", "sent", "status", "content_type", "body"),
    [
        ("7?full=true", None, 200, "application/json", b'[7,true,"en"]'),
        ("x", None, 422, "application/problem+json", b'"in":"path","name":"number"'),
        ("99", None, 404, "application/problem+json", b'"detail":"There is no order 99."'),
        ("98", None, 409, "text/plain; charset=utf-8", b"sold out"),
        ("97", None, 302, "text/html; charset=utf-8", b""),
        ("96", None, 200, "text/event-stream", b"event: sale\ndata: 1\n\n"),
        ("95", None, 200, "application/octet-stream", b"one two three"),
        ("94", None, 201, "application/json", b'{"x":1,"y":2}'),
        ("1", b'{"x":1,"y":2}', 201, "application/json", b'{"x":2,"y":1}'),
        ("1", b'{"x":1}', 422, "application/problem+json", b'"in":"body"'),
        ("1", b"{", 400, "application/problem+json", b'"status":400'),
    ],
)
def test_the_typed_api(server, kind, path, sent, status, content_type, body):
    headers = {"Content-Type": "application/json"} if sent else {}
    response, got = server.get(f"/typed/{kind}/{path}", "POST" if sent else "GET", body=sent, headers=headers)
    assert (response.status, response.headers["content-type"]) == (status, content_type)
    assert body in got if content_type == "application/problem+json" else body == got


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_what_follows_the_answer(server, kind):
    assert server.get(f"/later/{kind}/x")[1] == b"answered"
    until(lambda: f"later {kind} ended" in server.seen("later"), "the provider's end")
    until(lambda: f"later {kind} worked" in server.seen("later"), "the work in the background")


PAGE = "https://app.example.com"


@pytest.mark.parametrize("path", ["/items/5", "/values/suspends/dict", "/fails/sync/x", "/tagged/auto/1", "/two/1/x/2"])
@pytest.mark.parametrize("method", ["GET", "DELETE", "OPTIONS"])
def test_other_origins(server, servers, path, method):
    for origin, allowed in ((PAGE, True), ("https://elsewhere.example", False), ("", False)):
        sent = {"Origin": origin} if origin else {}
        response, _ = server.get(path, method, headers=sent)
        told = {name.lower(): value for name, value in response.getheaders() if name.lower().startswith("access-")}
        assert "origin" in response.headers["vary"].lower()
        assert told.get("access-control-allow-origin") == (PAGE if allowed else None)
        assert told.get("access-control-allow-credentials") == ("true" if allowed else None)
        engines, _ = servers("runrivet").get(path, method, headers=sent)
        assert response.status == engines.status
        assert told == {n.lower(): v for n, v in engines.getheaders() if n.lower().startswith("access-")}


def test_paths_without_cors(server):
    asked = {"Origin": PAGE, "Access-Control-Request-Method": "POST"}
    for method in ("GET", "OPTIONS"):
        response, _ = server.get("/slow/stream", method, headers=asked)
        assert "origin" not in (response.headers["vary"] or "").lower()
        assert response.headers["access-control-allow-origin"] is None
    assert response.status == 204


def test_a_preflight(server, servers):
    asked = {"Origin": PAGE, "Access-Control-Request-Method": "PUT"}
    response, body = server.get("/items/5", "OPTIONS", headers=asked)
    assert (response.status, response.headers["content-length"], body) == (200, "0", b"")
    engines, _ = servers("runrivet").get("/items/5", "OPTIONS", headers=asked)
    for name in ("origin", "methods", "headers", "credentials"):
        assert response.headers[f"access-control-allow-{name}"] == engines.headers[f"access-control-allow-{name}"]
    assert response.headers["access-control-max-age"] == "86400"


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(("kind", "size", "good"), [("sync", 10, True), ("sync", 11, False), ("async", 5 << 20, True)])
def test_the_largest_body_of_a_route(server, kind, size, good, chunked):
    body = b"x" * size
    response, got = server.get(f"/limited/{kind}", "POST", body=iter([body]) if chunked else body)
    assert (response.status, got) == ((200, str(size).encode()) if good else (413, TOO_LARGE))


@pytest.mark.parametrize(("kind", "note"), [("sync", "slow-ended"), ("async", "slow-cancelled")])
def test_an_answer_that_takes_too_long(server, kind, note):
    count = server.seen(note).count(note)
    response, got = server.get(f"/slow/{kind}")
    assert (response.status, response.headers["content-type"]) == (504, "application/problem+json")
    assert got == (
        b'{"type":"about:blank","title":"Gateway Timeout","status":504,"detail":"The answer took too long."}'
    )
    until(lambda: server.seen(note).count(note) > count, "the handler ends")


def test_an_answer_that_has_begun_in_time(server):
    assert server.get("/slow/stream")[1] == b"ab"


@pytest.mark.parametrize("kind", ["sync", "async", "auto"])
def test_tags(server, servers, kind):
    response, body = server.get(f"/tagged/{kind}/7")
    tag = response.headers["etag"]
    assert (response.status, body) == (200, b'{"number":7}')
    assert tag == servers("runrivet").get(f"/tagged/{kind}/7")[0].headers["etag"]
    for method in ("GET", "HEAD"):
        again, body = server.get(f"/tagged/{kind}/7", method, headers={"If-None-Match": tag})
        assert (again.status, again.headers["etag"], body) == (304, tag, b"")
    assert server.get(f"/tagged/{kind}/7", headers={"If-Match": '"other"'})[0].status == 412
