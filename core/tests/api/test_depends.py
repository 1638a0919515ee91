"""Dependencies: once a request, cleaned up after the answer, replaced in tests."""

import asyncio
import contextvars
import functools
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

import httpx
import pytest

from django_rivet import API, Background, Depends, Header, HTTPError, Request, Router, Stream
from serving import errors, problem, serving, until

calls: list[str] = []


@pytest.fixture(autouse=True)
def clear():
    calls.clear()


def settings_of(request: Request) -> str:
    calls.append("settings")
    return request.path


def user(x_user: Annotated[str, Header()], settings: Annotated[str, Depends(settings_of)]) -> str:
    calls.append("user")
    if x_user == "nobody":
        raise HTTPError(401, "Log in.")
    return f"{x_user}@{settings}"


async def later(number: int, user: Annotated[str, Depends(user)]) -> list[Any]:
    await asyncio.sleep(0)
    return [number, user]


class Pages:
    """A provider with a setting of its own."""

    def __init__(self, most: int) -> None:
        self.most = most

    def __call__(self, limit: int = 5) -> int:
        return min(limit, self.most)


type User = Annotated[str, Depends(user)]


def test_providers_are_called_once_a_request():
    api = API()

    @api.get("/sync")
    def sync(
        user: Annotated[str, Depends(user)],
        settings: Annotated[str, Depends(settings_of)],
        pages: Annotated[int, Depends(Pages(3))],
    ) -> list[Any]:
        return [user, settings, pages]

    @api.get("/async")
    async def asynchronous(later: Annotated[list[Any], Depends(later)], user: Annotated[str, Depends(user)]) -> Any:
        return [later, user]

    with serving(api) as client:
        me = {"X-User": "me"}
        for _ in range(12):
            calls.clear()
            assert client.get("/sync?limit=9", headers=me).json() == ["me@/sync", "/sync", 3]
            assert calls == ["settings", "user"]
        calls.clear()
        assert client.get("/async?number=1", headers=me).json() == [[1, "me@/async"], "me@/async"]
        assert calls == ["settings", "user"]
        assert errors(client.get("/async?number=x")) == [("query", "number"), ("header", "x-user")]
        assert problem(client.get("/sync", headers={"X-User": "nobody"}), 401)["detail"] == "Log in."


def session() -> Iterator[str]:
    calls.append("open")
    try:
        yield "session"
    except LookupError:
        calls.append("error")
        raise
    finally:
        calls.append("close")


async def connection(session: Annotated[str, Depends(session)]) -> AsyncIterator[str]:
    calls.append("connect")
    try:
        yield f"connection of {session}"
    finally:
        await asyncio.sleep(0)
        calls.append("disconnect")


def test_generators_of_def_handlers():
    api = API()

    @api.get("/ok", blocking=True)
    @api.get("/learnt")
    def ok(session: Annotated[str, Depends(session)]) -> str:
        calls.append("handler")
        return session

    @api.get("/fails")
    def fails(session: Annotated[str, Depends(session)]) -> str:
        raise LookupError("secret")

    @api.get("/stream")
    def stream(session: Annotated[str, Depends(session)]) -> Stream:
        return Stream(calls.append("chunk") or session for _ in range(2))

    with serving(api) as client:
        for path in ["/ok", *["/learnt"] * 12]:
            calls.clear()
            assert client.get(path).text == "session"
            assert until(lambda: len(calls) == 3 and calls, "the end") == ["open", "handler", "close"]
        calls.clear()
        problem(client.get("/fails"), 500)
        assert calls == ["open", "error", "close"]
        calls.clear()
        assert client.get("/stream").text == "sessionsession"
        assert until(lambda: len(calls) == 4 and calls, "the end") == ["open", "chunk", "chunk", "close"]


def test_generators_of_async_handlers():
    api = API()

    @api.get("/ok")
    async def ok(connection: Annotated[str, Depends(connection)]) -> str:
        return connection

    @api.get("/fails")
    async def fails(connection: Annotated[str, Depends(connection)], session: Annotated[str, Depends(session)]) -> str:
        raise LookupError("secret")

    @api.get("/stream")
    async def stream(connection: Annotated[str, Depends(connection)]) -> Stream:
        return Stream(calls.append("chunk") or connection for _ in range(1))

    @api.get("/unknown")
    async def unknown(connection: Annotated[str, Depends(connection)]) -> Any:
        return object()

    with serving(api) as client:
        assert client.get("/ok").text == "connection of session"
        assert until(lambda: len(calls) == 4 and calls, "the end") == ["open", "connect", "disconnect", "close"]
        calls.clear()
        problem(client.get("/fails"), 500)
        assert calls == ["open", "connect", "disconnect", "error", "close"]
        calls.clear()
        assert client.get("/stream").text == "connection of session"
        assert until(lambda: len(calls) == 5 and calls, "the end") == [
            "open",
            "connect",
            "chunk",
            "disconnect",
            "close",
        ]
        calls.clear()
        problem(client.get("/unknown"), 500)
        assert calls[-2:] == ["disconnect", "close"]


def test_providers_end_after_an_answer_by_the_request(caplog):
    api = API()

    @api.get("/sync")
    def sync(request: Request, after: Background, session: Annotated[str, Depends(session)]) -> None:
        after.add(calls.append, "after")
        request.respond(200, [], session.encode())

    @api.get("/async")
    async def asynchronous(request: Request, connection: Annotated[str, Depends(connection)]) -> None:
        request.start(200, [])
        request.write(connection.encode())
        request.end()

    with serving(api) as client:
        assert client.get("/sync").text == "session"
        assert until(lambda: len(calls) == 3 and calls, "the end") == ["open", "close", "after"]
        calls.clear()
        assert client.get("/async").text == "connection of session"
        assert until(lambda: len(calls) == 4 and calls, "the end") == ["open", "connect", "disconnect", "close"]
    assert not caplog.records


variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="clean")


def sets_it() -> Iterator[None]:
    token = variable.set("set")
    yield
    calls.append(variable.get())
    variable.reset(token)
    calls.append(variable.get())


async def sets_it_later() -> AsyncIterator[None]:
    await asyncio.sleep(0)
    token = variable.set("set")
    yield
    calls.append(variable.get())
    variable.reset(token)
    calls.append(variable.get())


@pytest.mark.parametrize("options", [{}, {"blocking": True}, {"inline": True}])
def test_providers_may_set_context_variables(options):
    api = API()

    @api.get("/sync", **options)
    def sync(nothing: Annotated[None, Depends(sets_it)]) -> str:
        return variable.get()

    @api.get("/async")
    async def asynchronous(nothing: Annotated[None, Depends(sets_it_later)]) -> str:
        return variable.get()

    with serving(api) as client:
        for path in ["/async", *["/sync"] * 12]:
            calls.clear()
            assert client.get(path).text == "set"
            assert until(lambda: len(calls) == 2 and calls, "the clean-up") == ["set", "clean"]


def test_the_answer_does_not_wait_for_the_clean_up():
    release = threading.Event()

    async def slow() -> AsyncIterator[int]:
        yield 1
        while not release.is_set():
            await asyncio.sleep(0.005)
        calls.append("closed")

    api = API()

    @api.get("/")
    async def handler(slow: Annotated[int, Depends(slow)]) -> int:
        return slow

    with serving(api) as client:
        assert client.get("/").json() == 1
        assert calls == []
        release.set()
        until(lambda: calls, "the clean-up")


def test_overrides():
    router = Router()
    api = API("/a")
    api.include(router)

    @router.get("/sync/{id}")
    def sync(id: int, user: User) -> Any:
        return [id, user]

    @router.get("/async/{id}")
    async def asynchronous(id: str, user: Annotated[str, Depends(user)]) -> Any:
        return [id, user]

    async def waits(page: int = 1) -> str:
        await asyncio.sleep(0)
        return f"page {page}"

    with serving(api) as client:
        with api.overrides({user: lambda: "somebody"}):
            assert client.get("/a/sync/1").json() == [1, "somebody"]
            assert client.get("/a/async/1").json() == ["1", "somebody"]
            with api.overrides({user: waits}):
                assert client.get("/a/async/1?page=2").json() == ["1", "page 2"]
                problem(client.get("/a/sync/1"), 500)  # the log says that it would have to be an async def
            with api.overrides({settings_of: lambda: "elsewhere"}):
                assert client.get("/a/async/1").json() == ["1", "somebody"]
        with api.overrides({settings_of: lambda: "elsewhere"}):
            assert client.get("/a/sync/1", headers={"X-User": "me"}).json() == [1, "me@elsewhere"]
        assert errors(client.get("/a/sync/1")) == [("header", "x-user")]


class Scaled:
    """A provider that is made with parameters of its own."""

    def __init__(self, factor: int) -> None:
        self.factor = factor

    async def __call__(self, number: int = 1) -> int:
        return self.factor * number


class Unscaled:
    def __call__(self, number: int = 1) -> Iterator[int]:
        yield number


class Window:
    def __init__(self, limit: int = 10, offset: int = 0) -> None:
        self.limit, self.offset = limit, offset


def test_objects_and_classes_as_providers():
    api = API()

    @api.get("/object")
    async def scaled(
        twice: Annotated[int, Depends(Scaled(2))],
        thrice: Annotated[int, Depends(Scaled(3))],
        once: Annotated[int, Depends(Unscaled())],
    ) -> list[int]:
        return [twice, thrice, once]

    @api.get("/class")
    def window(
        one: Annotated[Window, Depends()], two: Annotated[Window, Depends], three: Annotated[Window, Depends(Window)]
    ) -> list[object]:
        return [one.limit, one.offset, one is two is three]

    with pytest.raises(TypeError, match="must be an async def"):

        @api.get("/x")
        def not_async(twice: Annotated[int, Depends(Scaled(2))]) -> int:
            return twice

    with serving(api) as client:
        assert client.get("/object?number=5").json() == [10, 15, 5]
        assert client.get("/class?limit=3").json() == [3, 0, True]


def test_partial_functions_as_providers():
    async def scaled(factor: int, number: int = 1, *, secret: str = "") -> list[object]:
        return [factor * number, secret]

    api = API()

    @api.get("/")
    async def read(
        one: Annotated[list[object], Depends(functools.partial(scaled, 2))],
        two: Annotated[list[object], Depends(functools.partial(scaled, 3, secret="kept"))],
    ) -> list[object]:
        return [*one, *two]

    with serving(api) as client:
        assert client.get("/?number=5&secret=known").json() == [10, "known", 15, "kept"]


def test_a_default_that_could_never_be_set():
    def paged(limit=10):
        return limit

    def taken(page: Annotated[int, Depends(paged)]) -> int:
        return page

    for handler in (paged, taken):
        with pytest.raises(TypeError, match=r"paged: 'limit' has a default and no annotation: with one it is read"):
            API().get("/x")(handler)


def test_what_fails_after_the_answer_is_logged_once_and_as_it_is(caplog):
    def late() -> Iterator[int]:
        yield 1
        raise RuntimeError("late")

    api = API()

    @api.get("/def")
    def plain(value: Annotated[int, Depends(late)]) -> int:
        return value

    @api.get("/async")
    async def later(value: Annotated[int, Depends(late)]) -> int:
        return value

    with serving(api) as client:
        for path in ("/def", "/async"):
            caplog.clear()
            assert client.get(path).text == "1"
            until(lambda: caplog.records, "it is logged")
            client.get("/nothing")
            [record] = caplog.records
            assert str(record.exc_info[1]) == "late" and record.exc_info[1].__context__ is None


def test_mistakes():
    def circle(value: Annotated[int, "to be replaced"]) -> int:
        return value

    circle.__annotations__["value"] = Annotated[int, Depends(circle)]
    api = API()

    def round(value: Annotated[int, Depends(circle)]) -> None: ...

    def waits(later: Annotated[Any, Depends(later)]) -> None: ...

    def other(number: float, later: Annotated[Any, Depends(later)]) -> None: ...

    def nothing(value: Annotated[int, Depends(7)]) -> None: ...  # type: ignore[arg-type]

    for handler, message in [
        (round, "depends on itself"),
        (waits, "must be an async def"),
        (other, "number is asked for twice"),
        (nothing, "neither a function nor a class"),
    ]:
        with pytest.raises(TypeError, match=message) as caught:
            api.get("/x")(handler)
        assert f"{__file__}:{handler.__code__.co_firstlineno}" in str(caught.value)


def test_a_client_that_leaves_ends_its_providers():
    async def held() -> AsyncIterator[int]:
        try:
            yield 1
        except asyncio.CancelledError:
            calls.append("cancelled")
            raise
        finally:
            await asyncio.sleep(0)
            calls.append("closed")

    api = API()

    @api.get("/")
    async def handler(held: Annotated[int, Depends(held)]) -> None:
        calls.append("begun")
        await asyncio.sleep(60)

    with serving(api) as client:
        with pytest.raises(httpx.ReadTimeout):
            client.get("/", timeout=httpx.Timeout(5.0, read=0.2))
        until(lambda: len(calls) == 3, "the end of the provider")
    assert calls == ["begun", "cancelled", "closed"]
