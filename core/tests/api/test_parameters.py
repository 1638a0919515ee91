"""Parameters: where they come from, what they become, and what a wrong one is answered with."""

import datetime
import decimal
import enum
import uuid
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Annotated, Any, Literal, TypedDict

import httpx
import msgspec
import pytest
from django.core.files.uploadedfile import UploadedFile
from django.db import models
from django.test import override_settings

from django_rivet import API, Body, Cookie, File, Form, Header, Query, Request
from django_rivet.openapi import document
from serving import errors, problem, serving

type Positive = Annotated[int, msgspec.Meta(ge=1)]


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Price(msgspec.Struct):
    amount: Positive
    currency: Literal["EUR", "CHF"] = "EUR"


class Item(msgspec.Struct):
    name: Annotated[str, msgspec.Meta(min_length=1)]
    prices: list[Price]


@dataclass
class Note:
    text: str


class Page(TypedDict, total=False):
    number: Positive
    sort: list[str]


class Login(msgspec.Struct):
    user: str
    remember: bool = False


def one(handler: Any, path: str = "/", method: str = "GET") -> API:
    """An API with one handler."""
    api = API()
    getattr(api, method.lower())(path)(handler)
    return api


def both(function: Any) -> list[Any]:
    """A handler that returns its arguments: as `def`, as `async def`, and as one that waits."""
    import asyncio
    import functools

    @functools.wraps(function)
    async def plain(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    @functools.wraps(function)
    async def waits(*args: Any, **kwargs: Any) -> Any:
        await asyncio.sleep(0)
        return function(*args, **kwargs)

    return [function, plain, waits]


def typed(id: Positive, limit: int | None = None, tag: list[str] = []) -> list[Any]:  # noqa: B006
    return [id, limit, tag]


class Filled(msgspec.Struct):
    name: str
    count: int | None = None
    day: datetime.date | None = None
    agreed: bool = False
    colour: Colour | None = None
    note: str | None = None


def test_what_browsers_send():
    """Fields that are left empty, and ticked boxes."""
    api = API()

    @api.post("/whole")
    def whole(form: Annotated[Filled, Form()]) -> Filled:
        return form

    @api.post("/single")
    async def single(
        count: Annotated[int, Form()],
        agreed: Annotated[bool, Form()] = False,
        day: Annotated[datetime.date | None, Form()] = None,
        text: Annotated[str | bool, Form()] = "",
    ) -> list[Any]:
        return [count, agreed, day, text]

    empty = {"name": "", "count": "", "day": "", "colour": "", "note": ""}
    with serving(api) as client:
        made = {"name": "", "count": None, "day": None, "agreed": False, "colour": None, "note": ""}
        assert client.post("/whole", data=empty).json() == made
        filled = {"name": "x", "count": "3", "day": "2026-01-02", "agreed": "on", "colour": "red", "note": "on"}
        assert client.post("/whole", data=filled).json() == filled | {"count": 3, "agreed": True}
        assert client.post("/single", data={"count": "1", "agreed": "on", "text": "on"}).json() == [1, True, None, "on"]
        assert client.post("/single", data={"count": "1", "agreed": "", "day": ""}).json() == [1, False, None, ""]
        assert problem(client.post("/single", data={"count": ""}), 422)["errors"] == [
            {"in": "form", "name": "count", "detail": "Required"}
        ]
        wrong = client.post("/single", data={"count": "on", "agreed": "off"})
        assert errors(wrong) == [("form", "count"), ("form", "agreed")]


class Status(models.TextChoices):
    OPEN = "open"
    DONE = "done"


class Level(models.IntegerChoices):
    LOW = 1
    HIGH = 2


class Task(msgspec.Struct):
    status: Status
    level: Level = Level.LOW


def chosen(
    kind: Status, level: Level = Level.LOW, others: list[Status] | None = None, maybe: Status | None = None
) -> list[Any]:
    return [kind, level, others, maybe, isinstance(kind, Status), isinstance(level, Level)]


def test_djangos_choices():
    api = API()
    api.get("/query/{kind}")(chosen)

    @api.post("/body")
    def body(task: Task) -> Task:
        return Task(Status(task.status), Level(task.level))

    @api.get("/model", returns=Task)
    def model() -> Any:
        return SimpleNamespace(status="done", level=2)  # as columns of a model come

    with serving(api) as client:
        got = client.get("/query/open?level=2&others=done&others=open&maybe=done")
        assert got.json() == ["open", 2, ["done", "open"], "done", True, True]
        assert client.get("/query/done").json() == ["done", 1, None, None, True, True]
        assert errors(client.get("/query/shut?level=3")) == [("path", "kind"), ("query", "level")]
        assert client.post("/body", json={"status": "open", "level": 2}).json() == {"status": "open", "level": 2}
        assert errors(client.post("/body", json={"status": "shut"})) == [("body", "#/status")]
        assert client.get("/model").json() == {"status": "done", "level": 2}
    described = document(api.routes)
    found = {each["name"]: each["schema"] for each in described["paths"]["/query/{kind}"]["get"]["parameters"]}
    assert found["kind"]["enum"] == ["open", "done"]
    assert found["level"] == {"title": "Level", "enum": [1, 2], "default": 1}
    assert described["components"]["schemas"]["Task"]["properties"]["status"]["enum"] == ["open", "done"]


@pytest.mark.parametrize("handler", both(typed))
def test_path_and_query(handler):
    with serving(one(handler, "/{id}")) as client:
        for _ in range(12):  # more than a handler is measured for
            assert client.get("/7").json() == [7, None, []]
        assert client.get("/7?limit=10&other=1").json() == [7, 10, []]
        assert client.get("/7?limit=1&limit=2&tag=a&tag=b%20c+d").json() == [7, 2, ["a", "b c d"]]
        assert errors(client.get("/0")) == [("path", "id")]
        assert errors(client.get("/x?limit=y")) == [("path", "id"), ("query", "limit")]
        assert problem(client.get("/0"), 422)["errors"][0]["detail"] == "Expected `int` >= 1"


@pytest.mark.parametrize(
    ("annotation", "text", "value"),
    [
        (int, "-3", -3),
        (float, "1.5", 1.5),
        (bool, "true", True),
        (bool, "0", False),
        (str, "caf%C3%A9+%2B", "café +"),
        (Colour, "red", "red"),
        (Literal["a", "b"], "b", "b"),
        (Literal[1, 2], "2", 2),
        (uuid.UUID, "12345678123456781234567812345678", "12345678-1234-5678-1234-567812345678"),
        (decimal.Decimal, "1.10", "1.10"),
        (datetime.date, "2024-02-29", "2024-02-29"),
        (datetime.datetime, "2024-02-29T12:00:00Z", "2024-02-29T12:00:00Z"),
        (int | None, "5", 5),
        (set[int], "5", [5]),
        (tuple[int, ...], "5", [5]),
    ],
)
def test_types(annotation, text, value):
    def handler(x):
        return {"x": x}

    handler.__annotations__ = {"x": annotation}
    with serving(one(handler)) as client:
        assert client.get(f"/?x={text}").json() == {"x": value}
        if annotation is not str:
            assert errors(client.get("/?x=%20nonsense")) == [("query", "x")]
        assert problem(client.get("/"), 422)["errors"] == [{"in": "query", "name": "x", "detail": "Required"}]


def test_headers_and_cookies():
    async def handler(
        x_token: Annotated[str, Header()],
        count: Annotated[int, Header("X-Count"), msgspec.Meta(le=9)] = 1,
        session: Annotated[str | None, Cookie] = None,
    ) -> list[Any]:
        return [x_token, count, session]

    with serving(one(handler)) as client:
        assert client.get("/", headers={"X-Token": "t", "X-COUNT": "2", "Cookie": "a=b; session=s"}).json() == [
            "t",
            2,
            "s",
        ]
        assert client.get("/?count=7&session=q", headers={"X-Token": "t"}).json() == ["t", 1, None]
        assert errors(client.get("/", headers={"X-Count": "10"})) == [("header", "x-token"), ("header", "x-count")]


@pytest.mark.parametrize(
    ("fields", "value"),
    [
        ([], ["none"]),
        (["a"], ["a"]),
        (["a, b,c"], ["a", "b", "c"]),
        (["a", "b, c"], ["a", "b", "c"]),
        ([",, a ,\t, b,"], ["a", "b"]),
        ([""], []),
        (['"a, b", W/"c\\", d" e'], ['"a, b"', 'W/"c\\", d" e']),
        (['a, "b, c', "d"], ["a", '"b, c,d']),
        (['"\\' * 3500], ['"\\' * 3500]),
    ],
)
def test_lists_in_header_fields(fields, value):
    async def handler(x_tag: Annotated[list[str], Header()] = ["none"]) -> list[str]:  # noqa: B006
        return x_tag

    with serving(one(handler)) as client:
        assert client.get("/", headers=[("X-Tag", field) for field in fields]).json() == value


def test_the_elements_of_lists_in_header_fields():
    def handler(
        x_count: Annotated[list[Positive], Header(), msgspec.Meta(max_length=2)],
        x_set: Annotated[set[str] | None, Header()] = None,
    ) -> Any:
        return [x_count, x_set and sorted(x_set)]

    with serving(one(handler)) as client:
        assert client.get("/", headers=[("X-Count", "1"), ("X-Count", "2"), ("X-Set", "b, a, b")]).json() == [
            [1, 2],
            ["a", "b"],
        ]
        assert errors(client.get("/")) == [("header", "x-count")]
        for wrong in ("1, 0", "1, 2, 3", "x"):
            assert errors(client.get("/", headers={"X-Count": wrong})) == [("header", "x-count")]


def test_aliases_do_not_mix_the_places():
    def handler(id: int, other: Annotated[str, Query("id")], third: Annotated[str, Header("id")]) -> list[Any]:
        return [id, other, third]

    with serving(one(handler, "/{id}")) as client:
        assert client.get("/1?id=2", headers={"id": "3"}).json() == [1, "2", "3"]
        assert errors(client.get("/1")) == [("query", "id"), ("header", "id")]


def test_a_whole_query():
    def handler(page: Annotated[Page, Query()], login: Annotated[Login | None, Query()] = None) -> Any:
        return {"page": page, "login": login}

    with serving(one(handler)) as client:
        assert client.get("/").json() == {"page": {}, "login": None}
        answer = client.get("/?number=2&sort=a&sort=b&user=me&remember=true").json()
        assert answer == {"page": {"number": 2, "sort": ["a", "b"]}, "login": {"user": "me", "remember": True}}
        assert errors(client.get("/?number=0")) == [("query", "number")]
        assert errors(client.get("/?remember=true")) == [("query", "user")]


def echo(item: Item) -> Item:
    return item


@pytest.mark.parametrize("handler", both(echo))
def test_a_json_body(handler):
    with serving(one(handler, method="POST")) as client:
        item = {"name": "x", "prices": [{"amount": 1, "currency": "CHF"}]}
        for _ in range(12):
            assert client.post("/", json=item).json() == item
        as_patch = {"Content-Type": "Application/merge-patch+JSON; charset=utf-8"}
        assert client.post("/", content=msgspec.json.encode(item), headers=as_patch).json() == item
        for bad, pointer in [
            ({"name": "", "prices": []}, "#/name"),
            ({"name": "x"}, "#/prices"),
            ({"name": "x", "prices": [{"amount": 1}, {"amount": 0}]}, "#/prices/1/amount"),
            ([], "#"),
        ]:
            assert errors(client.post("/", json=bad)) == [("body", pointer)]
        for content in (b"{", b"", b"\xff", b'{"name": "\xff"}'):
            problem(client.post("/", content=content, headers={"Content-Type": "application/json"}), 400)
        for headers in ({}, {"Content-Type": "text/plain"}, {"Content-Type": "application/jsonp"}):
            problem(client.post("/", content=msgspec.json.encode(item), headers=headers), 415)


class Strict(msgspec.Struct, forbid_unknown_fields=True):
    sort: Literal["name", "price"] = "name"
    counts: dict[int, int] = {}


def test_what_a_body_says_does_not_mislead_the_error():
    """Nor keep the server busy: msgspec's message has the value in it."""
    long = " - at `$" * 100_000
    with serving(one(takes_strict, method="POST")) as client:
        for body, pointer in [
            ({long: 1}, "#"),
            ({" - at `$" + "[" * 200_000: 1}, "#"),
            ({"sort": long}, "#/sort"),
            ({"sort": " - at `$.name`"}, "#/sort"),
            ({"counts": {"x": 1}}, "#/counts"),
        ]:
            assert errors(client.post("/", json=body)) == [("body", pointer)]


def takes_strict(item: Strict) -> Strict:
    return item


def test_bodies_of_other_kinds():
    api = API()

    @api.post("/note")
    def note(note: Note) -> str:
        return note.text

    @api.post("/page")
    async def page(page: Page | None = None) -> Any:
        return [page]

    @api.post("/dict")
    async def anything(data: dict[str, Any]) -> Any:
        return data

    @api.post("/items")
    async def items(items: list[Item]) -> int:
        return len(items)

    @api.post("/numbers/{id}")
    async def numbers(request: Request, id: int, numbers: Annotated[list[int], Body()], scale: int = 1) -> Any:
        return [request.path, id, [scale * each for each in numbers]]

    with serving(api) as client:
        assert client.post("/note", json={"text": "hello"}).text == "hello"
        assert client.post("/page", json={"number": 1}).json() == [{"number": 1}]
        assert client.post("/page").json() == [None]
        assert client.post("/dict", json={"a": [1]}).json() == {"a": [1]}
        deep = client.post("/dict", content=b'{"a":' * 100_000, headers={"Content-Type": "application/json"})
        assert problem(deep, 400)["detail"] == "The JSON is nested too deeply."
        assert client.post("/items", json=[{"name": "x", "prices": []}]).json() == 1
        assert client.post("/numbers/3?scale=2", json=[1, 2]).json() == ["/numbers/3", 3, [2, 4]]
        wrong = client.post("/numbers/x?scale=y", json=["a"])
        assert errors(wrong) == [("path", "id"), ("query", "scale"), ("body", "#/0")]


@pytest.mark.parametrize("is_async", [False, True])
def test_what_a_file_must_be(is_async):
    api = API()

    def read(
        title: Annotated[int, Form()],
        picture: Annotated[UploadedFile | None, File(max_size=10, types=["image/png", "Text/*"])] = None,
        parts: Annotated[list[UploadedFile], File("part", max_size="1K")] = [],  # noqa: B006
    ) -> Any:
        return [title, picture and picture.size, [part.size for part in parts]]

    api.post("/")(both(read)[is_async])
    with serving(api) as client:

        def post(title: str = "1", picture: tuple[str, bytes, str] | None = None, *parts: bytes) -> httpx.Response:
            files: list[Any] = [("part", ("p", part)) for part in parts]
            return client.post("/", data={"title": title}, files=files + ([("picture", picture)] if picture else []))

        assert client.post("/", data={"title": "1"}).json() == [1, None, []]
        assert post("1", ("a", b"x" * 10, "image/png"), b"a", b"b" * 1024).json() == [1, 10, [1, 1024]]
        assert post("1", ("a", b"", "text/csv")).json() == [1, 0, []]
        wrong = problem(post("x", ("a", b"x" * 11, "image/png"), b"", b"b" * 1025), 422)["errors"]
        assert [each["name"] for each in wrong] == ["title", "picture", "part"]
        assert [each["in"] for each in wrong] == ["form", "file", "file"]
        assert [each["detail"] for each in wrong[1:]] == [
            "Expected at most 10 bytes, got 11",
            "Expected at most 1024 bytes, got 1025",
        ]
        for media in ("image/gif", "image/pngx", "application/text"):
            (error,) = problem(post("1", ("a", b"x", media)), 422)["errors"]
            assert error["detail"] == f"Expected image/png or text/*, got {media}"


@pytest.mark.parametrize("limits", [{"max_size": "2X"}, {"max_size": -1}, {"types": "image/png"}, {"types": ["png"]}])
def test_what_no_file_can_be(limits):
    with pytest.raises(ValueError, match=r"File\("):
        File(**limits)


@pytest.mark.parametrize("is_async", [False, True])
def test_forms_and_files(is_async):
    api = API()

    def read(
        user: Annotated[str, Form()], tag: Annotated[list[int], Form()], picture: UploadedFile | None = None
    ) -> Any:
        return [user, tag, picture and picture.name, picture and picture.read().decode()]

    def whole(login: Annotated[Login, Form()], files: Annotated[list[UploadedFile], File("file")]) -> Any:
        return [login, [file.name for file in files]]

    handlers = [both(each)[is_async] for each in (read, whole)]
    api.post("/read")(handlers[0])
    api.put("/read")(handlers[0])
    api.patch("/read")(handlers[0])
    api.post("/whole")(handlers[1])
    with serving(api) as client:
        for method in ("PUT", "PATCH"):
            sent = {"data": {"user": "u", "tag": "1"}, "files": {"picture": ("a.txt", b"content")}}
            assert client.request(method, "/read", **sent).json() == ["u", [1], "a.txt", "content"]
        assert client.post("/read", data={"user": "ü", "tag": ["1", "2"]}).json() == ["ü", [1, 2], None, None]
        files = {"picture": ("a.txt", b"content" * 100_000)}
        answer = client.post("/read", data={"user": "u", "tag": "1"}, files=files).json()
        assert answer == ["u", [1], "a.txt", "content" * 100_000]
        assert errors(client.post("/read", data={"tag": "x"})) == [("form", "user"), ("form", "tag")]
        problem(client.post("/read", json={"user": "u"}), 415)
        problem(client.post("/read", content=b"x", headers={"Content-Type": "multipart/form-data"}), 400)
        two = [("file", ("a", b"1")), ("file", ("b", b"2"))]
        assert client.post("/whole", data={"user": "u", "remember": "1"}, files=two).json() == [
            {"user": "u", "remember": True},
            ["a", "b"],
        ]
        assert errors(client.post("/whole", data={"user": "u"})) == [("file", "file")]


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize(
    ("setting", "bound", "multipart", "status"),
    [
        ("DATA_UPLOAD_MAX_MEMORY_SIZE", 10, False, 413),
        ("DATA_UPLOAD_MAX_MEMORY_SIZE", 10, True, 413),
        ("DATA_UPLOAD_MAX_NUMBER_FIELDS", 1, False, 400),
        ("DATA_UPLOAD_MAX_NUMBER_FIELDS", 1, True, 400),
        ("DATA_UPLOAD_MAX_NUMBER_FILES", 1, True, 400),
    ],
)
def test_djangos_bounds_of_forms_hold(setting, bound, multipart, status, is_async):
    def read(user: Annotated[str, Form()], files: Annotated[list[UploadedFile] | None, File("file")] = None) -> str:
        return user

    api = API()
    api.post("/")(both(read)[is_async])
    form: dict[str, Any] = {"data": {"user": "u" * 20, "other": "2"}}
    if multipart:
        form["files"] = [("file", ("a", b"1")), ("file", ("b", b"2"))]
    with serving(api) as client:
        assert client.post("/", **form).text == "u" * 20
        with override_settings(**{setting: bound}):
            problem(client.post("/", **form), status)
