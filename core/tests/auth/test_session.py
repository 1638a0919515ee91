"""Users and sessions of Django in native handlers."""

import asyncio
import gc
import threading
import weakref
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any

import pytest
from django.contrib.auth import alogin, authenticate, login, logout
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.http import FileResponse, HttpResponse
from django.test import override_settings

from django_rivet import (
    API,
    Anonymous,
    Background,
    CurrentUser,
    Depends,
    EventStream,
    HTTPError,
    Request,
    Response,
    SessionAuth,
    Stream,
    csrf_token,
)
from serving import another, log_in, problem, serving, until

KINDS = ["inline", "pool", "async", "suspends"]
lazily = API("/lazily")
strictly = API("/strictly", auth=SessionAuth())
either = API("/either", auth=[SessionAuth(), Anonymous()])


def _name(user: Any) -> str:
    return user.get_username() or "nobody"


@lazily.get("/pool", blocking=True)
@lazily.get("/inline", inline=True)
def name(request: Request) -> str:
    return _name(request.user)


@lazily.get("/async")
async def name_async(request: Request) -> str:
    return _name(await request.auser())


@lazily.get("/suspends")
async def name_suspends(request: Request) -> str:
    await asyncio.sleep(0)
    return _name(await request.auser())


@lazily.get("/wrong")
async def wrong(request: Request) -> str:
    return _name(request.user)


@strictly.get("/pool", blocking=True)
@strictly.get("/inline")
def known(user: Annotated[User, CurrentUser]) -> str:
    return user.get_username()


@strictly.get("/async")
async def known_async(request: Request) -> str:
    return _name(request.user)


@strictly.get("/suspends")
async def known_suspends(user: Annotated[User, CurrentUser]) -> str:
    await asyncio.sleep(0)
    return user.get_username()


@strictly.get("/open", auth=None)
async def open_to_all() -> str:
    return "open"


@either.get("/pool", blocking=True)
@either.get("/inline")
def whoever(request: Request) -> str:
    return _name(request.user)


@either.get("/async")
@either.get("/suspends")
async def whoever_async(request: Request) -> str:
    return _name(request.user)


@pytest.fixture(scope="module")
def site() -> Iterator[Any]:
    with serving(_joined(lazily, strictly, either, visits)) as client:
        yield client


def _joined(*apis: API) -> Any:
    """Several APIs, as the discovery has them."""

    class Joined:
        routes = [route for api in apis for route in api.routes]

    return Joined


@pytest.fixture
def client(site: Any) -> Iterator[Any]:
    with another(site.base_url) as client:
        yield client


visits = API("/visits")


def count(session: Any) -> int:
    session["visits"] = session.get("visits", 0) + 1
    return int(session["visits"])


async def acount(session: Any) -> int:
    await session.aset("visits", await session.aget("visits", 0) + 1)
    return int(await session.aget("visits"))


@visits.get("/pool", blocking=True)
@visits.get("/inline", inline=True)
@visits.get("/created", status=201)
def visit(request: Request) -> int:
    return count(request.session)


@visits.get("/async")
@visits.get("/async/created", status=201)
async def visit_async(request: Request) -> int:
    return await acount(request.session)


@visits.get("/suspends")
async def visit_suspends(request: Request) -> int:
    await asyncio.sleep(0)
    return await acount(request.session)


@visits.get("/none")
def visit_none(request: Request) -> None:
    count(request.session)


@visits.get("/django")
def visit_django(request: Request) -> HttpResponse:
    response = HttpResponse(str(count(request.session)))
    response.set_cookie("other", "1")
    return response


@visits.get("/response")
async def visit_response(request: Request) -> Response[int]:
    return Response(await acount(request.session), status=202, headers={"X-One": "1"})


@visits.get("/stream")
def visit_stream(request: Request) -> Stream:
    return Stream([str(count(request.session))])


@visits.get("/stream/async")
async def visit_stream_async(request: Request) -> Stream:
    number = await acount(request.session)

    async def chunks() -> AsyncIterator[str]:
        yield str(number)

    return Stream(chunks())


@visits.get("/events")
async def visit_events(request: Request) -> EventStream:
    return EventStream([await acount(request.session)])


@visits.get("/refused")
def visit_refused(request: Request) -> None:
    raise HTTPError(400, str(count(request.session)))


@visits.get("/refused/async")
async def visit_refused_async(request: Request) -> None:
    raise HTTPError(400, str(await acount(request.session)))


@visits.get("/broken")
def visit_broken(request: Request) -> None:
    count(request.session)
    raise KeyError("visits")


def _visit_number(request: Request) -> Iterator[int]:
    yield count(request.session)


@visits.get("/provider")
def visit_provider(number: Annotated[int, Depends(_visit_number)]) -> int:
    return number


@visits.get("/tagged", etag=True)
def visit_tagged(request: Request) -> str:
    count(request.session)
    return "the same for all"


answered = threading.Event()
worked: list[bool] = []


def work() -> None:
    worked.append(answered.wait(5))


async def provided() -> AsyncIterator[None]:
    yield


@visits.get("/background")
async def visit_background(request: Request, after: Background) -> int:
    after.add(work)
    return await acount(request.session)


@visits.get("/background/provider")
async def visit_background_provider(
    request: Request, after: Background, nothing: Annotated[None, Depends(provided)]
) -> int:
    after.add(work)
    return await acount(request.session)


@visits.get("/file")
async def visit_file(request: Request) -> FileResponse:
    await acount(request.session)
    return FileResponse(open(__file__, "rb"))  # noqa: SIM115, ASYNC230  the response closes it


def test_a_304_keeps_the_cookies(client):
    first = client.get("/visits/tagged")
    client.cookies.clear()
    answer = client.get("/visits/tagged", headers={"If-None-Match": first.headers["etag"]})
    assert answer.status_code == 304
    assert answer.cookies["sessionid"] != first.cookies["sessionid"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_user_of_a_session(client, kind, ada):
    assert client.get(f"/lazily/{kind}").text == "nobody"
    assert problem(client.get(f"/strictly/{kind}"), 401)["detail"] == "Say who you are."
    assert client.get(f"/either/{kind}").text == "nobody"
    log_in(client, ada)
    for api in ("lazily", "strictly", "either"):
        answer = client.get(f"/{api}/{kind}")
        assert (answer.status_code, answer.text, answer.headers["vary"]) == (200, "ada", "Cookie")


def test_a_session_that_is_none(client):
    client.cookies.set("sessionid", "x" * 32)
    problem(client.get("/strictly/async"), 401)
    assert client.get("/either/inline").text == "nobody"


def test_a_session_ends_with_the_password(client):
    user = User.objects.create_user("changing", password="old")
    log_in(client, user)
    assert client.get("/strictly/pool").text == "changing"
    user.set_password("new")
    user.save()
    problem(client.get("/strictly/pool"), 401)


def test_an_inactive_user_is_nobody(client):
    user = User.objects.create_user("leaving")
    log_in(client, user)
    User.objects.filter(pk=user.pk).update(is_active=False)
    problem(client.get("/strictly/async"), 401)


def test_auth_is_taken_off_a_route(client):
    assert client.get("/strictly/open").text == "open"


def test_what_is_lazy_says_how_to_wait(client, ada, caplog):
    log_in(client, ada)
    assert client.get("/lazily/wrong").status_code == 500
    assert "await request.auser()" in caplog.text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        *((kind, 200) for kind in KINDS),
        *((each, 200) for each in ("django", "stream", "stream/async", "events", "provider")),
        *((each, 201) for each in ("created", "async/created")),
        ("response", 202),
        ("refused", 400),
        ("refused/async", 400),
    ],
)
def test_a_session_is_kept(client, path, status):
    for number in (1, 2):
        answer = client.get(f"/visits/{path}")
        assert answer.status_code == status and str(number) in answer.text
        assert answer.headers["vary"] == "Cookie" and "HttpOnly" in str(answer.headers.get_list("set-cookie"))
    if path == "django":
        assert client.cookies["other"] == "1"
    if path == "response":
        assert answer.headers["x-one"] == "1"


def test_a_session_is_kept_with_no_content(client):
    assert client.get("/visits/none").status_code == 204
    assert client.get("/visits/async").text == "2"


def test_a_session_is_not_kept_with_an_error_of_ours(client):
    """As Django has it: no session is saved with a 500."""
    assert client.get("/visits/broken").status_code == 500
    assert "sessionid" not in client.cookies


def test_a_session_that_was_deleted_meanwhile(client):
    """As Django has it: the request was interrupted."""
    client.get("/visits/async")
    key = client.cookies["sessionid"]
    gone.clear()
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(client.get, "/visits/waits")
        assert waiting.wait(10)
        Session.objects.filter(session_key=key).delete()
        gone.set()
        assert problem(answer.result(10), 400)["title"] == "Bad Request"


waiting, gone = threading.Event(), threading.Event()


@visits.get("/waits")
async def visit_waits(request: Request) -> int:
    number = await acount(request.session)
    waiting.set()
    await asyncio.to_thread(gone.wait, 10)
    return number


@pytest.mark.parametrize("path", ["background", "background/provider"])
def test_work_in_the_background_comes_after_the_answer(client, path):
    answered.clear()
    worked.clear()
    assert client.get(f"/visits/{path}").text == "1"
    answered.set()
    until(lambda: worked, "the work")
    assert worked == [True] and client.cookies["sessionid"]


def test_a_file_with_a_session(client):
    assert client.get("/visits/file").text == Path(__file__).read_text()
    assert client.get("/visits/async").text == "2"


@pytest.mark.parametrize("kind", KINDS)
def test_a_session_that_is_saved_every_time(client, ada, kind):
    log_in(client, ada)
    assert "set-cookie" not in client.get(f"/strictly/{kind}").headers
    with override_settings(SESSION_SAVE_EVERY_REQUEST=True):
        assert "sessionid=" in client.get(f"/strictly/{kind}").headers["set-cookie"]


def test_login_and_logout(ada):
    api = API(auth=[SessionAuth(), Anonymous()])

    @api.get("/token")
    async def token(request: Request) -> str:
        return csrf_token(request)

    @api.post("/login", status=201)
    def enter(request: Request, name: str, password: str) -> str:
        user = authenticate(request.django, username=name, password=password)
        if user is None:
            raise HTTPError(400, "That is not right.")
        login(request.django, user)
        return _name(request.user)

    @api.post("/login/async")
    async def enter_async(request: Request) -> str:
        await alogin(request.django, await User.objects.aget(username="ada"))
        return _name(await request.auser())

    @api.post("/logout")
    def leave(request: Request) -> str:
        logout(request.django)
        return _name(request.user)

    @api.get("/me")
    async def me(request: Request) -> str:
        return _name(request.user)

    with serving(api) as client:
        before = client.get("/token").text
        problem(client.post("/login?name=ada&password=secret"), 403)
        wrong = client.post("/login?name=ada&password=x", headers={"X-CSRFToken": before})
        assert problem(wrong, 400)["detail"] == "That is not right."
        answer = client.post("/login?name=ada&password=secret", headers={"X-CSRFToken": before})
        assert (answer.status_code, answer.text) == (201, "ada")
        assert client.get("/me").text == "ada"
        # The token is another one now, as the session is.
        problem(client.post("/logout", headers={"X-CSRFToken": before}), 403)
        token_now = client.get("/token").text
        assert client.post("/logout", headers={"X-CSRFToken": token_now}).text == "nobody"
        assert client.get("/me").text == "nobody" and "sessionid" not in client.cookies
        token_now = client.get("/token").text
        assert client.post("/login/async", headers={"X-CSRFToken": token_now}).text == "ada"
        assert client.get("/me").text == "ada"


@pytest.mark.parametrize("engine", ["cache", "cached_db", "signed_cookies", "file"])
def test_session_engines(engine):
    with (
        override_settings(SESSION_ENGINE=f"django.contrib.sessions.backends.{engine}"),
        serving(visits) as client,
    ):
        assert [client.get(f"/visits/{kind}").text for kind in KINDS] == ["1", "2", "3", "4"]


def test_nobody_gets_what_is_anothers(site):
    """Requests of several users at once, on every way a handler runs."""
    users = [User.objects.create_user(f"user{number}") for number in range(4)]
    clients = [another(site.base_url) for _ in users]
    for user, client in zip(users, clients, strict=True):
        log_in(client, user)

    def ask(number: int) -> set[tuple[str, str]]:
        got = set()
        for turn in range(15):
            kind = KINDS[(turn + number) % len(KINDS)]
            for path in (f"/lazily/{kind}", f"/strictly/{kind}", f"/either/{kind}"):
                got.add((users[number].username, clients[number].get(path).text))
        return got

    with ThreadPoolExecutor(len(users)) as threads:
        seen = set().union(*threads.map(ask, range(len(users))))
    for client in clients:
        client.close()
    assert seen == {(user.username, user.username) for user in users}
    with another(site.base_url) as stranger:
        assert [stranger.get(f"/lazily/{kind}").text for kind in KINDS] == ["nobody"] * 4


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_nothing_is_kept_of_a_request(kind, ada):
    """Without the garbage collector's help: a request holds its body, and its connection waits for it."""
    made = API(auth=SessionAuth())
    kept: list[weakref.ref[Any]] = []

    def keep(request: Request) -> str:
        kept.extend([weakref.ref(request), weakref.ref(request.django), weakref.ref(request.session)])
        request.session["x"] = 1
        return _name(request.user)

    @made.get("/sync")
    def sync(request: Request) -> str:
        return keep(request)

    @made.get("/async")
    async def async_(request: Request) -> str:
        return keep(request)

    gc.disable()
    try:
        with serving(made) as client:
            log_in(client, ada)
            for _ in range(3):
                assert client.get(f"/{kind}").text == "ada"
            until(lambda: len(kept) == 9 and not any(each() for each in kept), "the end of all")
    finally:
        gc.enable()
