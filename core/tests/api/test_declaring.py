"""Routers, what is known of a route, and mistakes where they are made."""

import inspect
from typing import Annotated, Any

import msgspec
import pytest
from django.http import HttpRequest

from django_rivet import API, Body, Cookie, Depends, File, Form, Header, Query, Request, Response, Router
from django_rivet.api import Parameter
from serving import serving


class Item(msgspec.Struct):
    name: str


def test_routers_and_prefixes():
    api = API("/api", tags=["api"])
    items = Router("/items", tags=["items"])
    parts = Router()
    api.include(items, prefix="/v1")
    api.include(items, prefix="/v2")
    items.include(parts, prefix="/parts")

    @items.get("/{id}", tags=["one"], name="item")
    def read(id: int) -> int:
        return id

    @parts.get("")  # after it was included
    async def list_parts() -> str:
        return "parts"

    assert [str(route).split(" (")[0] for route in api.routes] == [
        "GET /api/v1/items/parts",
        "GET /api/v1/items/{id}",
        "GET /api/v2/items/parts",
        "GET /api/v2/items/{id}",
    ]
    assert api.routes[1].operation.tags == ("api", "items", "one")
    assert api.routes[1].operation.name == "item"
    with serving(api) as client:
        assert client.get("/api/v2/items/7").json() == 7
        assert client.get("/api/v1/items/parts").text == "parts"


def test_plain_handlers_have_nothing_around_them():
    api = API()

    def nothing() -> dict[str, Any]:
        return {}

    async def text(a: str, b) -> Item:
        return Item(a)

    def first(request: Request, a: str, b: str) -> None: ...

    for handler, path in [(nothing, "/"), (text, "/{a}/{b}"), (first, "/{b}/{a}")]:
        api.post(path)(handler)
        assert api.routes[-1].handler is api.routes[-1].endpoint is handler


def test_bound_handlers_keep_their_kind():
    api = API()

    @api.get("/a/{id}")
    async def ready(id: int) -> int:
        return id

    @api.get("/b/{id}")
    def sync(id: int) -> int:
        return id

    @api.get("/c/{id}", blocking=True)
    def pool(id: int, limit: int = 1) -> int:
        return id

    assert [route.kind for route in api.routes] == ["async", "sync", "pool+request"]
    assert inspect.iscoroutinefunction(api.routes[0].handler)
    assert api.routes[0].handler.__suspends__ is False
    assert not inspect.iscoroutinefunction(api.routes[1].handler)
    assert ready is api.routes[0].endpoint


def test_what_is_known_of_a_route():
    api = API()

    def provider(limit: Annotated[int, msgspec.Meta(le=9)] = 3) -> int:
        return limit

    @api.post("/{id}", status=201, deprecated=True)
    def create(
        id: int, item: Item, x_key: Annotated[str, Header()], limit: Annotated[int, Depends(provider)]
    ) -> Response[Item]:
        """Makes one.

        In two
        lines.
        """
        return Response(item)

    operation = api.routes[0].operation
    assert operation.parameters == (
        Parameter("path", "id", int),
        Parameter("body", "", Item, whole=True),
        Parameter("header", "x-key", str),
        Parameter("query", "limit", Annotated[int, msgspec.Meta(le=9)], 3),
    )
    assert operation.body == operation.parameters[1]
    assert (operation.method, operation.path, operation.name) == ("POST", "/{id}", "create")
    assert (operation.status, operation.returns, operation.deprecated) == (201, Item, True)
    assert (operation.summary, operation.description) == ("Makes one.", "In two\nlines.")

    @api.delete("/{id}")
    def delete(id: str) -> None: ...

    assert (api.routes[1].operation.status, api.routes[1].operation.returns) == (204, None)


def test_annotations_may_be_text():
    namespace: dict[str, Any] = {"API": API, "Item": Item}
    source = """
from __future__ import annotations
api = API()
@api.post("/{id}")
def handler(id: int, item: Item) -> OnlyForTypeCheckers: return [id, item]
"""
    exec(source, namespace)
    operation = namespace["api"].routes[0].operation
    assert [each.annotation for each in operation.parameters] == [int, Item]


def bad_type(x: HttpRequest) -> None: ...


def bad_union(x: int | Item | dict[str, int]) -> None: ...


def unknown_name(x: "Nowhere") -> None: ...  # type: ignore[name-defined]  # noqa: F821


def list_in_cookie(x: Annotated[list[str], Cookie()]) -> None: ...


def struct_in_header(x: Annotated[Item, Header()]) -> None: ...


def struct_in_path(id: Item) -> None: ...


def body(item: Item) -> None: ...


def two_bodies(a: Item, b: Annotated[int, Body()]) -> None: ...


def body_and_form(a: Item, b: Annotated[int, Form()]) -> None: ...


def twice(a: Annotated[int, Query("x")], b: Annotated[float, Query("x")]) -> None: ...


def no_file(a: Annotated[int, File()], b: Annotated[str, Query('"')]) -> None: ...


def depends_as_default(limit=Depends(len)) -> None: ...  # noqa: B008


def marker_as_default(key=Header()) -> None: ...  # noqa: B008


@pytest.mark.parametrize(
    ("path", "handler", "message"),
    [
        ("/x", bad_type, "HttpRequest is no type that msgspec knows"),
        ("/x", bad_union, "cannot be read from a request"),
        ("/x", unknown_name, "annotation x: Nowhere is not known"),
        ("/x", list_in_cookie, "comes from the cookie"),
        ("/x", struct_in_header, "comes from the header"),
        ("/{id}", struct_in_path, "comes from the path"),
        ("/x", two_bodies, "'b': there is one JSON body: put what is in it into one Struct"),
        ("/x", body_and_form, "either JSON or a form"),
        ("/x", twice, "asked for twice"),
        ("/x", no_file, "Renamed field names"),
        ("/{other}", body, "has no parameter 'other'"),
        ("/x", depends_as_default, r"'limit' .* limit: Annotated\[..., Depends\(...\)\]"),
        ("/x", marker_as_default, r"key: Annotated\[..., Header\(...\)\]"),
    ],
)
def test_mistakes_of_handlers(path, handler, message):
    with pytest.raises((TypeError, ValueError), match=message) as caught:
        API("/shop").post(path)(handler)
    text = str(caught.value)
    assert text.endswith(f"({__file__}:{handler.__code__.co_firstlineno})") and f"POST /shop{path}" in text


def test_other_mistakes():
    api, router = API(), Router("/x")
    with pytest.raises(TypeError, match="GET has no body"):
        api.get("/")(body)
    with pytest.raises(ValueError, match="no status of an answer"):
        api.get("/", status=99)
    with pytest.raises(TypeError, match=r"^GET /: get\(\) has no option stauts \(here: status\)$"):
        api.get("/", stauts=201)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"no option nothing, response_model \(here: returns\)$"):
        api.get("/", response_model=int, nothing=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"^API\(\) has no option title \(here: Docs\(title=...\)\)$"):
        API(title="Shop")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"a path comes first, as in @api.get\('/items'\)"):
        api.get(bad_type)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^Query\(\) takes a name alone, not ge: constraints stand beside it"):
        Query(ge=1)  # type: ignore[arg-type]
    for path in ("/{int:number}", "/{number:int}"):
        with pytest.raises(ValueError, match=r"write \{number\}, which takes one segment; .* number: int$"):
            api.get(path)
    with pytest.raises(TypeError, match=rf"^exception\(KeyError\): .*<lambda>\(error\) must take .*{__file__}:\d+\)$"):
        api.exception(KeyError)(lambda error: None)  # type: ignore[arg-type,misc]
    with pytest.raises(TypeError, match="Fraction is no type that msgspec knows"):
        from fractions import Fraction

        api.get("/", returns=list[Fraction])(bad := lambda: None)
        assert bad
    with pytest.raises(TypeError, match="is no function"):
        api.get("/")(Item)
    with pytest.raises(TypeError, match="an API is found and served by itself"):
        router.include(api)
    with pytest.raises(ValueError, match="cannot include itself"):
        router.include(router)
    with pytest.raises(ValueError, match="without a slash at the end"):
        api.include(router, prefix="/v1/")
    with pytest.raises(ValueError, match="belong into the paths"):
        Router("/{id}")
    empty = Router()
    empty.get("")(lambda: None)
    api.include(empty)
    with pytest.raises(ValueError, match="needs a path or a prefix"):
        api.routes  # noqa: B018
