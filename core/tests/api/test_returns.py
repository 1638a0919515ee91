"""What handlers return besides plain values."""

import enum
import re
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import msgspec
import pytest
from django.core.management import call_command
from django.http import FileResponse, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import redirect

from declared import KINDS, declare
from django_rivet import API, Background, HTTPError, Request, Response
from django_rivet.openapi import document
from library.models import Author, Book
from serving import problem, serving, until


class Written(msgspec.Struct):
    name: str


class Read(msgspec.Struct):
    title: str
    pages: int
    author: Written


class Secret(msgspec.Struct):
    title: str
    secret: str


@pytest.fixture(scope="session", autouse=True)
def books():
    call_command("migrate", run_syncdb=True, verbosity=0)
    author = Author.objects.create(name="Ada")
    for number in range(3):
        Book.objects.create(title=f"Book {number}", pages=number, author=author)


@pytest.mark.parametrize("kind", KINDS)
def test_status_and_headers(kind):
    api = API()
    declare(api, kind, "/status", lambda: {"a": 1}, status=201)
    declare(api, kind, "/none", lambda: None, status=202)
    declare(api, kind, "/text", lambda: Response("text", status=203, headers={"X-One": "1"}))
    declare(api, kind, "/both", lambda: Response([1]), status=201)
    declare(
        api, kind, "/kept", lambda: Response(b"<a/>", headers=[("Content-Type", "text/xml"), ("Set-Cookie", "a=b")])
    )
    with serving(api) as client:
        for _ in range(12):
            answer = client.get("/status")
            assert (answer.status_code, answer.json()) == (201, {"a": 1})
        assert (client.get("/none").status_code, client.get("/none").content) == (202, b"")
        answer = client.get("/text")
        assert (answer.status_code, answer.text, answer.headers["x-one"]) == (203, "text", "1")
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert client.get("/both").status_code == 201
        answer = client.get("/kept")
        assert (answer.headers["content-type"], answer.headers["set-cookie"], answer.content) == (
            "text/xml",
            "a=b",
            b"<a/>",
        )
        assert client.head("/text").headers["content-length"] == "4"


@pytest.mark.parametrize("kind", KINDS)
def test_djangos_responses(kind):
    def cookie() -> HttpResponse:
        response = JsonResponse({"a": 1}, status=409)
        response.set_cookie("seen", "yes")
        return response

    api = API()
    declare(api, kind, "/json", cookie)
    declare(api, kind, "/redirect", lambda: redirect("https://example.com/"))
    declare(api, kind, "/file", lambda: FileResponse(Path(__file__).open("rb")))  # noqa: SIM115  Django closes it
    declare(api, kind, "/stream", lambda: StreamingHttpResponse(iter(["a", b"b"])))
    with serving(api) as client:
        answer = client.get("/json")
        assert (answer.status_code, answer.json(), answer.cookies["seen"]) == (409, {"a": 1}, "yes")
        answer = client.get("/redirect")
        assert (answer.status_code, answer.headers["location"]) == (302, "https://example.com/")
        answer = client.get("/file")
        assert answer.content == Path(__file__).read_bytes()
        assert answer.headers["content-length"] == str(len(answer.content))
        assert client.get("/stream").text == "ab"


@pytest.mark.parametrize("kind", KINDS)
def test_models_become_what_the_annotation_says(kind):
    books = Book.objects.select_related("author").order_by("pages")
    api = API()
    declare(api, kind, "/all", lambda: books.all(), list[Read])
    declare(api, kind, "/lazy", lambda: Book.objects.order_by("pages"), list[Read])
    declare(api, kind, "/list", lambda: [Book(title="new", pages=1, author=Author(name="Bo"))], list[Read])
    declare(api, kind, "/one", lambda: Book(title="new", pages=1, author=Author(name="Bo")), Read | None)
    declare(api, kind, "/none", lambda: None, Read | None)
    declare(api, kind, "/unknown", lambda: Book(title="new", pages=1))
    new = {"title": "new", "pages": 1, "author": {"name": "Bo"}}
    stored = [{"title": f"Book {number}", "pages": number, "author": {"name": "Ada"}} for number in range(3)]
    with serving(api) as client:
        for _ in range(12):
            assert client.get("/all").json() == stored
        assert client.get("/lazy").json() == stored
        assert client.get("/list").json() == [new]
        assert client.get("/one").json() == new
        assert client.get("/none").status_code == 204
        problem(client.get("/unknown"), 500)


@pytest.mark.parametrize("kind", KINDS)
def test_returns_lets_nothing_else_out(kind):
    class Public(msgspec.Struct):
        title: str

    api = API()
    declare(api, kind, "/struct", lambda: Secret("a", "b"))
    declare(api, kind, "/filtered", lambda: Secret("a", "b"), returns=Public)
    declare(api, kind, "/dict", lambda: {"title": "a", "secret": "b"}, returns=Public)
    declare(api, kind, "/wrong", lambda: {"title": 1}, returns=Public)
    declare(api, kind, "/response", lambda: Response(Secret("a", "b"), status=201), returns=Public)
    with serving(api) as client:
        assert client.get("/struct").json() == {"title": "a", "secret": "b"}
        assert client.get("/filtered").json() == {"title": "a"}
        assert client.get("/dict").json() == {"title": "a"}
        problem(client.get("/wrong"), 500)
        answer = client.get("/response")
        assert (answer.status_code, answer.json()) == (201, {"title": "a"})


class Genre(enum.StrEnum):
    NOVEL = "novel"


type Title = str


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("options", [{}, {"status": 201}])
@pytest.mark.parametrize(
    ("declared", "value", "named", "given"),
    [
        (Read, "text", "Read", "str"),
        (Read, b"bytes", "Read", "bytes"),
        (Read, None, "Read", "None"),
        (Response[Read], Response("text"), "Read", "str"),
        (list[Read], "text", "list[test_returns.Read]", "str"),
        (dict[str, None], None, "dict[str, None]", "None"),
        (Read | None, "text", "test_returns.Read | None", "str"),
        (str, None, "str", "None"),
        (str, b"bytes", "str", "bytes"),
        (type(None), "text", "None", "str"),
    ],
)
def test_what_is_not_declared_is_a_failure(kind, options, declared, value, named, given, caplog):
    api = API()
    declare(api, kind, "/", lambda: value, declared, **options)
    with serving(api) as client:
        problem(client.get("/"), 500)
    (record,) = [each for each in caplog.records if each.name == "django_rivet"]
    message = rf"GET /: \w+ is declared to return {re.escape(named)} and has returned {given} \(.*declared.py:\d+\)"
    _, error, traceback = record.exc_info
    assert re.fullmatch(message, str(error)) and traceback is None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("declared", "value", "status", "content"),
    [
        (Any, "text", 200, b"text"),
        (object, None, 204, b""),
        (Title, "text", 200, b"text"),
        (Genre, Genre.NOVEL, 200, b"novel"),
        (Literal["a", 1], "a", 200, b"a"),
        (Annotated[str, msgspec.Meta(max_length=9)], "text", 200, b"text"),
        (dict[str, int] | str | bytes | None, b"bytes", 200, b"bytes"),
        (dict[str, int] | str | bytes | None, None, 204, b""),
        (Read, HttpResponse("text"), 200, b"text"),
        (Read, Response("gone", status=410), 410, b"gone"),
        (Read, Response(None, status=303), 303, b""),
        (AsyncIterator[str], None, 204, b""),
        ("NotThere", "text", 200, b"text"),
    ],
)
def test_what_is_declared_or_said_by_a_status_is_answered(kind, declared, value, status, content):
    api = API()
    declare(api, kind, "/", lambda: value, declared)
    declare(api, kind, "/empty", lambda: None, Read, status=204)
    with serving(api) as client:
        answer = client.get("/")
        assert (answer.status_code, answer.content) == (status, content)
        assert client.get("/empty").status_code == 204


@pytest.mark.parametrize(
    ("declared", "value", "media"),
    [
        (Literal["a", 1], "a", "text/plain"),
        (Literal["a", 1], 1, "application/json"),
        (Literal["a", 1, None], None, None),
        (Literal["a"] | Literal[1, 2], 2, "application/json"),
        (Literal["a"] | Literal[1, 2], "a", "text/plain"),
        (str | Written, "a", "text/plain"),
        (str | Written, Written("Emma"), "application/json"),
        (Genre | int, Genre.NOVEL, "text/plain"),
        (bytes | int, b"a", "application/octet-stream"),
    ],
)
def test_openapi_says_how_each_value_is_answered(declared, value, media):
    api = API()
    declare(api, "async", "/", lambda: value, declared)
    with serving(api) as client:
        answer = client.get("/")
    described = document(api.routes)["paths"]["/"]["get"]["responses"][str(answer.status_code)]
    assert answer.headers.get("Content-Type", "").partition(";")[0] == (media or "")
    assert (media in described["content"]) if media else ("content" not in described)


@pytest.mark.parametrize("kind", KINDS)
def test_what_returns_does_not_take_is_a_failure(kind, caplog):
    api = API()
    declare(api, kind, "/text", lambda: "text", returns=Read)
    declare(api, kind, "/wrong", lambda: {"title": 1}, returns=list[Secret])
    declare(api, kind, "/model", lambda: Author(name="Ada"), returns=Read)
    with serving(api) as client:
        for path in ("/text", "/wrong", "/model"):
            problem(client.get(path), 500)
    text, wrong, model = [str(each.exc_info[1]) for each in caplog.records if each.name == "django_rivet"]
    assert "is declared to return Read and has returned str (" in text
    assert "list[test_returns.Secret] and has returned dict: Expected `array`, got `object` (" in wrong
    assert "Read and has returned Author: Object missing required field `title` (" in model


def test_a_handler_may_answer_by_itself_whatever_it_declares():
    api = API()

    @api.get("/")
    @api.get("/created", status=201)
    @api.get("/returns", returns=Read)
    def handler(request: Request) -> Read:
        request.respond(202, [], b"itself")
        return None  # type: ignore[return-value]

    with serving(api) as client:
        for path in ("/", "/created", "/returns"):
            assert (client.get(path).status_code, client.get(path).text) == (202, "itself")


@pytest.mark.parametrize("kind", KINDS)
def test_exceptions_are_answered_without_the_type_of_the_route(kind):
    def fails() -> None:
        raise LookupError("gone")

    api = API()
    declare(api, kind, "/", fails, returns=Read)
    declare(api, kind, "/annotated", fails, Read)

    @api.exception(LookupError)
    def answer(request: Request, error: LookupError) -> Response[Any]:
        return Response({"text": str(error)} if request.path == "/" else "gone", status=410)

    with serving(api) as client:
        assert (client.get("/").status_code, client.get("/").json()) == (410, {"text": "gone"})
        assert (client.get("/annotated").status_code, client.get("/annotated").text) == (410, "gone")


class Named(msgspec.Struct):
    name: str


def test_a_short_handler_leaves_the_pool_whatever_it_returns_and_one_that_waits_does_not():
    def response() -> Response[str]:
        return Response(threading.current_thread().name)

    def converted() -> list[Named]:
        return cast(Any, [threading.current_thread()])

    def raises() -> None:
        raise HTTPError(404, threading.current_thread().name)

    def made(background: Background) -> str:
        background.add(list)
        return threading.current_thread().name

    def waits() -> Response[str]:
        time.sleep(0.03)
        return Response(threading.current_thread().name)

    api = API()
    short = [response, converted, raises, made]
    for handler in [*short, waits]:
        api.get(f"/{handler.__name__}")(handler)

    with serving(api) as client:
        for handler in short:
            path = f"/{handler.__name__}"
            assert "rivet-server" not in client.get(path).text, "what nobody has measured does not run on the loop"
            until(lambda path=path: "rivet-server" in client.get(path).text, f"{path} has learned")
        assert not any("rivet-server" in client.get("/waits").text for _ in range(20))


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_without_a_type(kind, caplog):
    api = API()
    declare(api, kind, "/one", lambda: Author(name="Ada"))
    declare(api, kind, "/all", lambda: Author.objects.all(), "Author")
    with serving(api) as client:
        for path, name in (("/one", "Author"), ("/all", "QuerySet")):
            problem(client.get(path), 500)
            (record,) = [each for each in caplog.records if each.name == "django_rivet"]
            message = rf"GET {path}: \w+ has returned {name}, which is no JSON: .*; -> Item or returns=Item says .*\)"
            assert re.fullmatch(message, str(record.exc_info[1]))
            caplog.clear()


def test_an_answer_without_a_body():
    api = API()
    declare(api, "async", "/", lambda: Response(status=205, headers={"X-Reset": "1"}))
    with serving(api) as client:
        answer = client.get("/")
        assert (answer.status_code, answer.content, answer.headers["x-reset"]) == (205, b"", "1")


@pytest.mark.parametrize("is_async", [False, True])
def test_background_work_comes_after_the_answer(is_async):
    release = threading.Event()
    done: list[Any] = []

    def work(name: str) -> None:
        release.wait(10)
        done.append(name)

    async def more(name: str = "") -> None:
        done.append(name)

    def fails() -> None:
        raise LookupError("logged")

    def add(after: Background) -> str:
        after.add(work, "first")
        after.add(fails)
        after.add(lambda: more("second"))
        return "answer"

    async def add_async(after: Background) -> str:
        return add(after)

    api = API()
    api.get("/")(add_async if is_async else add)
    with serving(api) as client:
        assert client.get("/").text == "answer"
        assert done == []
        release.set()
        assert until(lambda: len(done) == 2 and done, "the work") == ["first", "second"]
