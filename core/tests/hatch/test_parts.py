"""The parts of the escape hatch that no server shows alone."""

import asyncio
import sys
from types import ModuleType, SimpleNamespace

import pytest
from asgiref.sync import SyncToAsync
from django.core.signals import got_request_exception
from django.test import AsyncRequestFactory, RequestFactory
from django.test.utils import override_settings
from django.urls import include, path, reverse

from django_rivet import API, Disconnected, broadcast, conf
from django_rivet.api.limits import Limits
from django_rivet.hatch import NativeApplication, loop, wsgi
from django_rivet.hatch.answer import Answer
from django_rivet.hatch.channel import Live
from django_rivet.hatch.exchange import Later, blocking, handling
from django_rivet.hatch.fields import checked
from django_rivet.hatch.request import HatchRequest, raw_path
from django_rivet.hatch.response import whole
from django_rivet.hatch.table import Call, entries, find
from django_rivet.hatch.websocket import HatchWebSocket
from django_rivet.hatch.wsgi import Here

INTERNAL = b'{"type":"about:blank","title":"Internal Server Error","status":500}'


def declared(*paths):
    api = API()
    for each in paths:
        api.get(each)(eval(f"lambda {', '.join(part[1:-1] for part in each.split('/') if '{' in part)}: None"))
    return entries(api.routes)


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        (b"/a/b", ("/a/b", [])),
        (b"/a/%62", ("/a/b", [])),
        (b"/a/c", ("/a/{y}", ["c"])),
        (b"/c/b", ("/{x}/b", ["c"])),
        (b"/c/d", ("/{x}/{y}", ["c", "d"])),
        (b"/a%2Fb", None),
        (b"/c/d%2fe", ("/{x}/{y}", ["c", "d/e"])),
        (b"/c/", None),
        (b"/c/%FF", None),
        (b"/", None),
    ],
)
def test_paths_are_found_as_the_engine_finds_them(sent, found):
    table = declared("/a/{y}", "/{x}/{y}", "/a/b", "/{x}/b")
    got = find(table, sent)
    if sent == b"/a%2Fb":  # an exact path counts decoded, too
        assert got and got[0].path == "/a/b"
    else:
        assert (got and (got[0].path, got[1])) == found


def test_the_outer_namespace_and_the_names_are_free_to_choose():
    urls = ModuleType("urls")
    urls.urlpatterns = [path("", include("django_rivet.urls", namespace="api"))]
    with override_settings(ROOT_URLCONF=urls):
        assert reverse("api:shop:read_item", kwargs={"number": 5}) == "/items/5"
    assert reverse("rivet:shop:echo", args=["x"]) == "/echo/x"


@pytest.mark.parametrize(
    ("extra", "raw"),
    [
        ({}, b"/a%20b"),
        ({"RAW_URI": "/%61%20b?q"}, b"/%61%20b"),
        ({"REQUEST_URI": "/before/the/rewrite"}, b"/a%20b"),
        ({"SCRIPT_NAME": "/under"}, b"/under/a%20b"),
    ],
)
def test_the_path_as_it_was_sent_where_the_server_tells(extra, raw):
    assert raw_path(RequestFactory().get("/a b", **extra)) == raw


@pytest.mark.parametrize(
    ("proxies", "given", "believed"),
    [
        ("", "abc", False),
        ("10.0.0.0/8", "abc", True),
        ("10.0.0.0/8", "a b", False),
        ("10.0.0.0/8", "a" * 129, False),
        ("192.168.0.1", "abc", False),
        ("*", "abc", True),
        ("unix", "abc", False),
    ],
)
def test_the_request_id_of_a_trusted_proxy(proxies, given, believed):
    django = RequestFactory().get("/", REMOTE_ADDR="10.1.2.3", headers={"X-Request-ID": given})
    request = HatchRequest(django, Answer(1000), conf.Options(trusted_proxies=proxies))
    assert (request.id == given) is believed
    assert request.id == request.id


LATER = object()


def settle(request, value, error):
    """Answers as a route may that knows more than plain values."""
    if value is LATER:
        return later(request)
    if isinstance(error, LookupError):
        raise error
    if not isinstance(error, ArithmeticError):
        request.respond(500 if isinstance(error, OSError) else 418, [], f"settled {value!r}".encode())
    return None


async def later(request):
    request.start(200, [])
    for part in (b"set", b"tled"):
        await asyncio.sleep(0)
        request.write(part)
    request.end()


def handler(how):
    if how == "value":
        return object
    if how == "later":
        return LATER
    raise {"error": ValueError, "fails": LookupError, "silent": ArithmeticError, "os": OSError}[how]


@pytest.mark.parametrize(
    ("how", "status", "body"),
    [
        ("value", 418, b"settled <class 'object'>"),
        ("error", 418, b"settled None"),
        ("os", 500, b"settled None"),
        ("fails", 500, INTERNAL),
        ("silent", 500, INTERNAL),
        ("later", 200, b"settled"),
    ],
)
@pytest.mark.parametrize("kind", ["blocking", "wsgi", "loop"])
def test_what_a_route_settles(kind, how, status, body):
    signalled = []

    def returns():
        return handler(how)

    async def coroutine():
        return returns()

    route = SimpleNamespace(
        handler=returns if kind == "blocking" else coroutine, kind="sync", settle=settle, limits=Limits()
    )
    options = conf.Options()

    async def run():
        request = AsyncRequestFactory().get("/")
        response = await loop.live(request, handling(request, Call(route, {}), options), options)
        parts = [part async for part in response] if response.streaming else [response.content]
        return response.status_code, b"".join(parts)

    def note(**arguments):
        signalled.append(sys.exception())

    got_request_exception.connect(note)
    try:
        if kind == "loop":
            got = asyncio.run(run())
        else:
            request, called = RequestFactory().get("/"), Call(route, {})
            if kind == "blocking":
                response = blocking(request, called, options, is_async=False)
            else:
                response = handling(request, called, options)
            if isinstance(response, Later):
                response = wsgi.live(request, response, options)
            got = response.status_code, b"".join(response)
            response.close()
    finally:
        got_request_exception.disconnect(note)
    assert got == (status, body)
    assert len(signalled) == (how in ("os", "fails"))


def test_that_the_client_has_gone_is_no_failure_of_the_handler(caplog):
    async def run(error):
        answer = Live(asyncio.get_running_loop(), lambda: None, high_water=1000)
        django = RequestFactory().get("/")

        async def handler(request):
            request.start(200, [])
            answer.leave()
            raise error

        route = SimpleNamespace(handler=handler, kind="async+request", limits=Limits())
        later = handling(django, Call(route, {}), conf.Options())
        later.request.answer_by(answer)
        await later.work(answer)
        assert answer.aborted

    asyncio.run(run(ConnectionError("the client has gone")))
    assert not caplog.text
    asyncio.run(run(ValueError("a mistake")))
    assert "a mistake" in caplog.text


def test_fields_of_the_connection_are_the_servers():
    given = [("Connection", "close"), (b"Transfer-Encoding", b"chunked"), ("Keep-Alive", "1"), ("X-One", "1")]
    assert checked(200, given) == [("X-One", "1")]


@pytest.mark.parametrize(("status", "head_only", "length"), [(200, True, "4"), (204, False, None), (304, False, None)])
def test_answers_that_have_no_body(status, head_only, length):
    response = whole(status, [], b"body", head_only)
    assert (response.content, response.get("Content-Length")) == (b"", length)


def test_a_wrong_length_is_500():
    assert whole(200, [("Content-Length", "3")], b"body", False).status_code == 500


@pytest.mark.parametrize(("part", "aborted"), [(b"123456", False), (b"12345", True), (b"1234567", True)])
def test_a_stream_must_be_as_long_as_it_says(part, aborted):
    answer = Answer(1000)
    answer.start(200, [("Content-Length", "6")])
    answer.write(part)
    if len(part) <= 6:
        answer.end()
    assert answer.aborted is aborted


def test_one_who_waits_for_room_gets_it_or_hears_that_the_client_has_gone():
    async def run():
        loop = asyncio.get_running_loop()
        answer = Live(loop, lambda: None, high_water=4)
        answer.start(200, [])
        assert answer.write(b"1234")
        await answer.drained()
        assert not answer.write(b"5")
        assert not await asyncio.to_thread(answer.wait_drained, 0.01)
        waiting = answer.drained()
        assert not waiting.done()
        assert answer.take() == b"12345"
        await waiting
        assert not answer.write(b"67890")
        waiting, left = answer.drained(), []
        answer.on_disconnect(lambda: left.append(1))
        answer.leave()
        with pytest.raises(OSError, match="the client has gone"):
            await waiting
        for call in (lambda: answer.write(b""), lambda: answer.wait_drained(1)):
            with pytest.raises(OSError, match="the client has gone"):
                call()
        answer.on_disconnect(lambda: left.append(2))
        await asyncio.sleep(0)
        assert left == [1, 2]

    asyncio.run(run())


class Peer:
    """The other end of a WebSocket: an ASGI server that takes what is sent only when told to."""

    def __init__(self, **scope):
        self.scope = {"type": "websocket", "path": "/", "headers": [], "subprotocols": [], "extensions": {}} | scope
        self.events = asyncio.Queue()
        self.sent = []
        self.takes = asyncio.Event()
        self.takes.set()
        self.events.put_nowait({"type": "websocket.connect"})

    async def send(self, event):
        await self.takes.wait()
        self.sent.append(event)

    def says(self, **event):
        self.events.put_nowait({"type": "websocket.receive", **event})

    def leaves(self, code=1001):
        self.events.put_nowait({"type": "websocket.disconnect", "code": code, "reason": "going"})

    def run(self, handler, high_water=1000):
        socket = HatchWebSocket(self.scope, self.events.get, self.send, high_water)
        return asyncio.create_task(socket.run(handler))


def test_a_socket_that_does_not_keep_up():
    async def run():
        peer, done, sockets = Peer(), asyncio.Event(), []

        async def handler(socket):
            socket.accept()
            sockets.append(socket)
            await socket.send("x")
            peer.takes.clear()
            waiting = socket.send("x" * 2000)
            assert not waiting.done()
            assert broadcast(sockets, "one") == 0, "too slow"
            assert socket.closed and socket.close_code == 1013
            assert broadcast(sockets, "two") == 0
            with pytest.raises(Disconnected):
                await waiting
            peer.takes.set()
            done.set()

        await peer.run(handler)
        assert done.is_set()
        assert [event["type"].partition(".")[2] for event in peer.sent] == ["accept", "send", "send", "close"]
        assert (peer.sent[-1]["code"], peer.sent[-1]["reason"]) == (1013, "too slow")
        with pytest.raises(TypeError, match="str or bytes"):
            broadcast(sockets, 1)

    asyncio.run(run())


def test_mistakes_with_a_socket():
    async def run():
        peer, done = Peer(subprotocols=["chat"]), asyncio.Event()

        async def handler(socket):
            for early in (lambda: socket.send("x"), socket.receive):
                with pytest.raises(RuntimeError, match="accept"):
                    early()
            with pytest.raises(ValueError, match="has not offered"):
                socket.accept("other")
            with pytest.raises(ValueError, match="no valid header field"):
                socket.accept(headers=[("a b", "")])
            socket.accept("chat")
            with pytest.raises(RuntimeError, match="once"):
                socket.accept()
            with pytest.raises(RuntimeError, match="already"):
                socket.deny()
            with pytest.raises(TypeError, match="str or bytes"):
                socket.send(1)
            for code, reason in ((1005, ""), (1000, "x" * 124)):
                with pytest.raises(ValueError, match="may be sent"):
                    socket.close(code, reason)
            waiting = asyncio.ensure_future(socket.receive())
            with pytest.raises(RuntimeError, match="somebody else"):
                socket.receive()
            peer.says(text="late")
            assert await waiting == "late"
            gone = []
            socket.on_disconnect(lambda *how: gone.append(how))
            peer.leaves()
            for _ in range(2):
                with pytest.raises(Disconnected) as ended:
                    await socket.receive()
                assert (ended.value.code, ended.value.reason) == (1001, "going")
            with pytest.raises(Disconnected):
                await socket.send("too late")
            await asyncio.sleep(0)
            assert gone == [(1001, "going")] and socket.closed and socket.close_code == 1001
            done.set()

        await peer.run(handler)
        assert done.is_set()

    asyncio.run(run())


def test_no_more_is_read_than_has_room():
    async def run():
        peer, done = Peer(), asyncio.Event()

        async def handler(socket):
            socket.accept()
            for _ in range(10):
                peer.says(text="x" * 600)
            while peer.events.qsize() > 8:
                await asyncio.sleep(0)
            for _ in range(20):
                await asyncio.sleep(0)
            assert peer.events.qsize() == 8, "two are above the high water, the others wait at the server"
            assert [len(await socket.receive()) for _ in range(10)] == [600] * 10
            done.set()

        await peer.run(handler)
        assert done.is_set()

    asyncio.run(run())


def test_a_server_that_knows_no_http_answers_to_handshakes():
    async def run():
        peer = Peer(path="/denied")
        await NativeApplication(None)(peer.scope, peer.events.get, peer.send)
        assert [event["type"] for event in peer.sent] == ["websocket.close"]

    asyncio.run(run())


def test_what_is_not_native_goes_on_to_the_application():
    seen = []

    async def application(scope, receive, send):
        seen.append((scope["type"], scope.get("path")))

    async def run():
        native = NativeApplication(application)
        for scope in (
            {"type": "lifespan"},
            {"type": "websocket", "path": "/channels"},
            {"type": "http", "path": "/two/a/b/x/c", "raw_path": b"/two/a%2Fb/x/c"},
            {"type": "http", "path": "/page/a/b", "raw_path": b"/page/a%2Fb"},
        ):
            await native(scope, None, None)

    asyncio.run(run())
    assert seen == [
        ("lifespan", None),
        ("websocket", "/channels"),
        ("http", "/two/a%2Fb/x/c"),
        ("http", "/page/a/b"),
    ]


def test_a_handlers_loop_is_not_left_to_async_to_sync():
    """As asgiref's sync_to_async leaves it on the thread that it runs on."""
    before = getattr(SyncToAsync.threadlocal, "main_event_loop", None)
    here = Here()
    done = here.submit(setattr, SyncToAsync.threadlocal, "main_event_loop", object())
    here.until(done.done)
    assert SyncToAsync.threadlocal.main_event_loop is before
