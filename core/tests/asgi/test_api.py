"""What can be declared as a native handler, and what is refused where it is declared."""

import re

import pytest

from django_rivet import API


def kinds(api):
    return [(route.method, route.path, route.kind) for route in api.routes]


def test_every_method_and_kind():
    api = API(prefix="/shop")

    @api.get("")
    def learned():
        pass

    @api.post("/", inline=True)
    def inline():
        pass

    @api.put("/items/{id}", blocking=True)
    def pool(id):
        pass

    @api.patch("/items/{id}")
    async def asynchronous(request, id):
        pass

    @api.delete("/items/{id}/{part}")
    def both(request, part, id):
        pass

    @api.head("/x")
    @api.options("/x")
    def twice():
        pass

    @api.websocket("/live/{room}")
    async def live(socket, room):
        pass

    assert kinds(api) == [
        ("GET", "/shop", "sync"),
        ("POST", "/shop/", "inline"),
        ("PUT", "/shop/items/{id}", "pool"),
        ("PATCH", "/shop/items/{id}", "async+request"),
        ("DELETE", "/shop/items/{id}/{part}", "sync+request"),
        ("OPTIONS", "/shop/x", "sync"),
        ("HEAD", "/shop/x", "sync"),
        ("WEBSOCKET", "/shop/live/{room}", "async"),
    ]


def test_the_handler_stays_a_plain_function():
    api = API()

    @api.get("/")
    def handler() -> int:
        return 1

    assert handler() == 1
    assert api.routes[0].handler is handler


def test_routes_know_where_they_were_declared():
    api = API()

    @api.get("/{a}")
    def handler(a): ...

    route = api.routes[0]
    assert route.file == __file__
    assert str(route) == f"GET /{{a}} ({__file__}:{handler.__code__.co_firstlineno})"


@pytest.mark.parametrize("prefix", ["shop", "/shop/", "/", "/a//b", "/a b", "/{id}", "/ü", "/a?b", "/%41", "/../a"])
def test_bad_prefixes(prefix):
    with pytest.raises(ValueError, match=re.escape(f"API prefix {prefix!r}")):
        API(prefix=prefix)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("", "needs paths"),
        ("items", "starts with a slash"),
        ("//items", "empty segment"),
        ("/a/../b", "never matches"),
        ("/item-{id}", "whole segment"),
        ("/{id", "whole segment"),
        ("/{}", "no Python name"),
        ("/{not-a-name}", "no Python name"),
        ("/{id}/{id}", "twice"),
        ("/a?b", "plain characters"),
    ],
)
def test_bad_paths(path, message):
    with pytest.raises(ValueError, match=message):
        API().get(path)


async def coroutine(): ...


def generator():
    yield


def plain(): ...


def named(id): ...


def needs_more(id, other): ...


@pytest.mark.parametrize(
    ("declare", "handler", "message"),
    [
        (lambda api: api.get("/{id}"), plain, "does not fit"),
        (lambda api: api.get("/"), named, "does not fit"),
        (lambda api: api.get("/{id}"), needs_more, "missing a required argument: 'other'"),
        (lambda api: api.get("/"), generator, "generator"),
        (lambda api: api.get("/", inline=True), coroutine, "for def handlers"),
        (lambda api: api.get("/", inline=True, blocking=True), plain, "both"),
        (lambda api: api.websocket("/"), plain, "async def"),
        (lambda api: api.websocket("/"), coroutine, "does not fit"),
    ],
)
def test_handlers_that_cannot_be_called(declare, handler, message):
    with pytest.raises(TypeError, match=message) as caught:
        declare(API("/shop"))(handler)
    assert "/shop" in str(caught.value)


def test_request_may_be_a_path_parameter():
    api = API()

    @api.get("/{request}")
    def handler(request): ...

    assert api.routes[0].kind == "sync"
