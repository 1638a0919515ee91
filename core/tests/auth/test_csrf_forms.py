"""The CSRF token in a form: it is read once, and not on the loop."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from asgiref.sync import sync_to_async
from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.test import override_settings

from django_rivet import API, Authenticator, File, Form, Request, SessionAuth, UploadedFile, csrf_token
from serving import another, log_in, problem, serving, until

read_by: list[int] = []
loops: list[int] = []


class Watched(MemoryFileUploadHandler):
    """Notes the thread that reads a file of a form."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        read_by.append(threading.get_ident())
        super().new_file(*args, **kwargs)


class ByCookie(Authenticator):
    """Knows its sender without a look at the database."""

    security = ("name", {"type": "apiKey", "in": "cookie", "name": "name"})
    by_cookie = True
    blocks = False

    def authenticate(self, request: Request) -> str | None:
        return request.header("x-name")


class ByCookieLater(ByCookie):
    """The same, as a coroutine."""

    async def authenticate(self, request: Request) -> str | None:  # type: ignore[override]
        return request.header("x-name")


api = API()


@api.post("/session")
async def session(request: Request) -> str:
    loops.append(threading.get_ident())
    await (await request.asession()).aset("seen", True)
    return "done"


@api.post("/user")
async def user(request: Request) -> str:
    loops.append(threading.get_ident())
    await request.auser()
    return "done"


@api.post("/at-once")
async def at_once(request: Request) -> str:
    loops.append(threading.get_ident())
    return str(request.session)


@api.post("/known", auth=ByCookie())
@api.post("/known/later", auth=ByCookieLater())
async def known(request: Request) -> str:
    loops.append(threading.get_ident())
    return "done"


@api.post("/both", auth=SessionAuth())
@api.post("/both/open")
async def both(request: Request, name: Annotated[str, Form()], file: Annotated[UploadedFile, File()]) -> str:
    await request.session.aset("name", name)
    return f"{name} {file.size} {request.django.POST['name']}"


@api.put("/both/open")
@api.put("/both", auth=SessionAuth())
async def put(request: Request, name: Annotated[str, Form()]) -> str:
    await (await request.asession()).aset("name", name)
    return f"{name} {len(request.django.POST)}"


@api.post("/both/def", auth=SessionAuth())
@api.post("/both/def/open")
def both_here(request: Request, name: Annotated[str, Form()], file: Annotated[UploadedFile, File()]) -> str:
    request.session["name"] = name
    return f"{name} {file.size} {request.django.POST['name']}"


@api.post("/together")
async def together(request: Request) -> str:
    loops.append(threading.get_ident())
    asked = [request.auser(), request.asession(), sync_to_async(lambda: request.user.pk)(), request.auser()]
    await asyncio.gather(*asked)
    return "done"


@api.post("/together/refused")
async def refused_together(request: Request) -> list[str]:
    found = await asyncio.gather(*(request.asession() for _ in range(3)), return_exceptions=True)
    later = await asyncio.gather(*(sync_to_async(lambda: request.session)() for _ in range(3)), return_exceptions=True)
    return [type(each).__name__ for each in (*found, *later)]


@api.post("/inline", auth=ByCookie(), inline=True)
def inline(request: Request) -> str:
    return "inline" if threading.get_ident() in loops else "thread"


@api.post("/learnt")
def learnt(file: Annotated[UploadedFile, File()]) -> str:
    return "inline" if threading.get_ident() in loops else "thread"


@api.get("/loop")
async def loop() -> None:
    loops.append(threading.get_ident())


@api.get("/session")
async def safe(request: Request) -> str:
    return csrf_token(request) if await request.asession() is not None else ""


@pytest.fixture(scope="module")
def site() -> Iterator[Any]:
    handlers = [f"{__name__}.Watched", "django.core.files.uploadhandler.TemporaryFileUploadHandler"]
    with override_settings(FILE_UPLOAD_HANDLERS=handlers), serving(api) as client:
        yield client


@pytest.fixture
def client(site: Any) -> Iterator[Any]:
    read_by.clear()
    loops.clear()
    with another(site.base_url) as client:
        yield client


@pytest.mark.parametrize("path", ["/session", "/user", "/known", "/known/later"])
def test_a_form_is_not_read_on_the_loop(client, ada, path):
    token = log_in(client, ada)
    headers, files = {"X-Name": "ada"}, {"file": b"x" * 100_000}
    problem(client.post(path, headers=headers, data={"csrfmiddlewaretoken": "b" * 32}, files=files), 403)
    answer = client.post(path, headers=headers, data={"csrfmiddlewaretoken": token}, files=files)
    assert answer.text == "done"
    assert len(read_by) == 2 and loops and not {*read_by} & {*loops}


def test_a_form_is_read_once_for_coroutines_that_ask_together(client, ada):
    token = log_in(client, ada)
    answer = client.post("/together", data={"csrfmiddlewaretoken": token}, files={"file": b"x" * 5_000_000})
    assert answer.text == "done"
    assert len(read_by) == 1 and not {*read_by} & {*loops}


def test_who_ask_together_are_refused_together(client, ada):
    log_in(client, ada)
    for _ in range(10):
        answer = client.post("/together/refused", data={"csrfmiddlewaretoken": "b" * 32}, files={"file": b"x" * 100})
        assert answer.json() == ["HTTPError"] * 6


def test_a_large_form_is_not_read_on_the_loop_for_an_inline_handler(client, ada):
    client.get("/loop")
    token = log_in(client, ada)

    def post(size: int) -> str:
        form, headers = {"csrfmiddlewaretoken": token}, {"X-Name": "ada"}
        return client.post("/inline", headers=headers, data=form, files={"file": b"x" * size}).text

    assert [post(10), post(100_000)] == ["inline", "thread"]
    assert [read in loops for read in read_by] == [True, False]


def test_a_large_form_is_not_read_on_the_loop_for_a_handler_that_was_quick(client):
    client.get("/loop")

    def post(size: int) -> str:
        return client.post("/learnt", files={"file": b"x" * size}).text

    until(lambda: post(10) == "inline", "it is called on the loop")
    read_by.clear()
    assert post(100_000) == "thread"
    assert not {*read_by} & {*loops}
    assert post(10) == "inline"


def test_who_asks_on_the_loop_hears_how_to_ask(client, ada, caplog):
    token = log_in(client, ada)
    problem(client.post("/at-once", data={"csrfmiddlewaretoken": token}), 500)
    assert "`await request.asession()`" in caplog.text
    assert "SessionStore" in client.post("/at-once", headers={"X-CSRFToken": token}).text


@pytest.mark.parametrize("path", ["/both", "/both/open", "/both/def", "/both/def/open"])
def test_a_form_is_read_once_for_its_handler_and_for_csrf(client, ada, path):
    token = log_in(client, ada)
    files = {"file": b"x" * 100_000}
    problem(client.post(path, data={"name": "tea"}, files=files), 403)
    read_by.clear()
    sent = {"name": "tea", "csrfmiddlewaretoken": token}
    assert client.post(path, data=sent, files=files).text == "tea 100000 tea"
    assert len(read_by) == 1


@pytest.mark.parametrize("path", ["/both", "/both/open"])
def test_the_form_of_a_put_is_its_handlers_alone(client, ada, path):
    """As in Django, where its token comes in the header field."""
    token = log_in(client, ada)
    form = {"name": "tea", "csrfmiddlewaretoken": token}
    problem(client.put(path, data=form), 403)
    assert client.put(path, headers={"X-CSRFToken": token}, data=form).text == "tea 0"


def test_a_session_that_changes_nothing(client):
    assert len(client.get("/session").text) == 64
