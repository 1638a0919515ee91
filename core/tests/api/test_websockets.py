"""WebSocket handlers take what other handlers take, from the handshake."""

import asyncio
import contextlib
import inspect
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

import httpx
import msgspec
import pytest
from django.http import Http404
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from django_rivet import (
    API,
    Background,
    Body,
    Cookie,
    CurrentUser,
    Depends,
    File,
    Form,
    Header,
    HTTPError,
    Query,
    Request,
    UploadedFile,
    WebSocket,
    current_user,
)
from serving import DEADLINE, problem, serving, until

calls: list[str] = []
api = API()


@pytest.fixture(autouse=True)
def clear() -> None:
    calls.clear()


class Filter(msgspec.Struct):
    tag: list[str] = []
    least: int = 0


def key(x_key: Annotated[str, Header()]) -> str:
    calls.append("key")
    if x_key == "other":
        raise HTTPError(401, "That key is not known.", headers={"WWW-Authenticate": "Key"})
    return x_key


async def path(sender: Request | WebSocket, key: Annotated[str, Depends(key)]) -> str:
    await asyncio.sleep(0)
    return f"{sender.path} by {key}"


def opened(socket: WebSocket) -> Iterator[str]:
    calls.append("open")
    try:
        yield "session"
    except BaseException as error:
        calls.append(type(error).__name__)
        raise
    finally:
        calls.append("close")


async def connected(opened: Annotated[str, Depends(opened)]) -> AsyncIterator[str]:
    calls.append("connect")
    try:
        yield f"connection of {opened}"
    finally:
        await asyncio.sleep(0)
        calls.append("disconnect")


async def tell(socket: WebSocket, *values: Any) -> None:
    socket.accept()
    await socket.send(msgspec.json.encode(values))


@api.websocket("/typed/{number}/{text}")
async def typed(
    socket: WebSocket,
    text: str,
    number: Annotated[int, msgspec.Meta(ge=1)],
    at: uuid.UUID | None = None,
    many: list[int] = [],  # noqa: B006
    *,
    x_count: Annotated[int, Header()] = 1,
    theme: Annotated[str, Cookie()] = "light",
    filter: Annotated[Filter, Query()],
) -> None:
    await tell(socket, number, text, at, many, x_count, theme, filter)


@api.websocket("/provided")
@api.websocket("/provided/{room}")
async def provided(
    socket: WebSocket, key: Annotated[str, Depends(key)], path: Annotated[str, Depends(path)], **rest: str
) -> None:
    await tell(socket, key, path, rest)


@api.websocket("/opened")
async def held(socket: WebSocket, connected: Annotated[str, Depends(connected)]) -> None:
    await tell(socket, connected)
    if await socket.receive() == "fail":
        raise LookupError
    calls.append("handler")


@api.websocket("/raises/{what}")
async def raises(socket: WebSocket, what: str) -> None:
    if what == "later":
        socket.accept()
    raise {"missing": Http404("There is no such room."), "ours": LookupError("secret")}.get(what, HTTPError(409))


@api.websocket("/denies/{number}")
async def denies(socket: WebSocket, number: int) -> None:
    socket.deny(418)
    raise HTTPError(409)


@api.websocket("/me")
async def me(socket: WebSocket, user: Annotated[str, CurrentUser]) -> None:
    await tell(socket, user)


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with serving(api) as client:
        yield client


@contextlib.contextmanager
def open_socket(client: httpx.Client, path: str, **headers: str) -> Iterator[ClientConnection]:
    url = str(client.base_url.join(path)).replace("http", "ws", 1)
    with connect(url, additional_headers={name.replace("_", "-"): value for name, value in headers.items()}) as socket:
        yield socket


def told(client: httpx.Client, path: str, **headers: str) -> Any:
    """The first message, read as JSON."""
    with open_socket(client, path, **headers) as socket:
        return msgspec.json.decode(socket.recv(DEADLINE))


def refused(client: httpx.Client, path: str, **headers: str) -> httpx.Response:
    """The answer to a handshake that is not taken."""
    with pytest.raises(InvalidStatus) as caught, open_socket(client, path, **headers):
        pass
    response = caught.value.response
    headers = list(response.headers.raw_items())
    return httpx.Response(response.status_code, headers=headers, content=bytes(response.body or b""))


def test_every_place(client):
    assert told(client, "/typed/7/caf%C3%A9") == [7, "café", None, [], 1, "light", {"tag": [], "least": 0}]
    at = "12345678-1234-5678-1234-567812345678"
    query = f"at={at}&many=1&many=2&tag=a&tag=b&least=3"
    found = told(client, f"/typed/7/x?{query}", X_Count="2", Cookie="a=b; theme=dark")
    assert found == [7, "x", at, [1, 2], 2, "dark", {"tag": ["a", "b"], "least": 3}]


def test_what_is_wrong_refuses_the_handshake(client):
    response = refused(client, "/typed/0/x?at=1&least=y", X_Count="z")
    found = [(each["in"], each["name"]) for each in problem(response, 422)["errors"]]
    assert found == [("path", "number"), ("query", "at"), ("header", "x-count"), ("query", "least")]


def test_providers(client):
    assert told(client, "/provided", X_Key="ada") == ["ada", "/provided by ada", {}]
    assert told(client, "/provided/7", X_Key="ada") == ["ada", "/provided/7 by ada", {"room": "7"}]
    assert calls == ["key", "key"]
    assert problem(refused(client, "/provided"), 422)["errors"][0]["name"] == "x-key"
    response = refused(client, "/provided", X_Key="other")
    assert problem(response, 401)["detail"] == "That key is not known."
    assert response.headers["www-authenticate"] == "Key"


def test_providers_last_as_long_as_the_handler(client):
    with open_socket(client, "/opened") as socket:
        socket.recv(DEADLINE)
        assert calls == ["open", "connect"]
        socket.send("go on")
        with pytest.raises(ConnectionClosed) as ended:
            socket.recv(DEADLINE)
    assert ended.value.rcvd.code == 1000
    assert until(lambda: len(calls) == 5 and calls, "the end") == ["open", "connect", "handler", "disconnect", "close"]


@pytest.mark.parametrize(("message", "raised"), [("fail", "LookupError"), (None, "Disconnected")])
def test_providers_see_what_the_handler_raises(client, message, raised):
    with open_socket(client, "/opened") as socket:
        socket.recv(DEADLINE)
        if message:
            socket.send(message)
            with pytest.raises(ConnectionClosed) as ended:
                socket.recv(DEADLINE)
            assert ended.value.rcvd.code == 1011
    assert until(lambda: len(calls) == 5 and calls, "the end") == ["open", "connect", "disconnect", raised, "close"]


def test_providers_end_when_the_server_stops():
    with serving(api, graceful_timeout=1.0) as client, open_socket(client, "/opened") as socket:
        socket.recv(DEADLINE)
    until(lambda: calls[-1:] == ["close"], "the provider's end")


def test_overrides(client):
    with api.overrides({key: lambda: "somebody"}):
        assert told(client, "/provided/7") == ["somebody", "/provided/7 by somebody", {"room": "7"}]
    with api.overrides({current_user: lambda: "ada"}):
        assert told(client, "/me") == ["ada"]
    problem(refused(client, "/me"), 401)


@pytest.mark.parametrize(("what", "status"), [("missing", 404), ("other", 409)])
def test_errors_of_a_handler_answer_the_handshake(client, what, status):
    problem(refused(client, f"/raises/{what}"), status)


def test_other_errors_are_failures(client, caplog):
    assert refused(client, "/raises/ours").status_code == 500
    with open_socket(client, "/raises/later") as socket, pytest.raises(ConnectionClosed) as ended:
        socket.recv(DEADLINE)
    assert ended.value.rcvd.code == 1011
    assert refused(client, "/denies/1").status_code == 418
    assert caplog.text.count("a WebSocket's handler failed") == 3


def test_a_handler_that_declares_nothing_is_called_as_it_is():
    async def plain(socket: WebSocket, a: str, b) -> None: ...

    async def rest(*args: Any, **kwargs: Any) -> None: ...

    async def first(first, **path: str) -> None: ...

    for handler in (plain, rest, first):
        (api := API()).websocket("/{a}/{b}")(handler)
        assert api.routes[0].handler is handler


async def json(socket: WebSocket, item: Filter) -> None: ...


async def marked(socket: WebSocket, item: Annotated[int, Body()]) -> None: ...


async def form(socket: WebSocket, name: Annotated[str, Form()]) -> None: ...


async def file(socket: WebSocket, file: UploadedFile) -> None: ...


async def named_file(socket: WebSocket, file: Annotated[UploadedFile | None, File("f")] = None) -> None: ...


def of_a_form(name: Annotated[str, Form()]) -> str:
    return name


async def within(socket: WebSocket, name: Annotated[str, Depends(of_a_form)]) -> None: ...


def of_a_request(request: Request) -> str:
    return request.method


async def other(socket: WebSocket, method: Annotated[str, Depends(of_a_request)]) -> None: ...


async def after(socket: WebSocket, after: Background) -> None: ...


async def no_socket(number: int, limit: int) -> None: ...


async def too_late(limit: Annotated[int, Query()], socket: WebSocket) -> None: ...


async def bad_type(socket: WebSocket, number: int, x: httpx.URL) -> None: ...


@pytest.mark.parametrize(
    ("handler", "message"),
    [
        (json, "'item' comes from the body, and a WebSocket's handshake has none"),
        (marked, "'item' comes from the body"),
        (form, "'name' comes from the form"),
        (file, "'file' comes from the file"),
        (named_file, "'file' comes from the file"),
        (within, "'name' comes from the form"),
        (other, r"of_a_request gets a WebSocket, and 'request' is a Request; what serves both takes Request \| WebS"),
        (after, "Background is work after an answer"),
        (no_socket, "must take the WebSocket first"),
        (too_late, "must take the WebSocket first"),
        (bad_type, "URL is no type that msgspec knows"),
    ],
)
def test_mistakes_show_where_they_are(handler, message):
    with pytest.raises(TypeError, match=message) as caught:
        API("/shop").websocket("/{number}" if "number" in inspect.signature(handler).parameters else "/x")(handler)
    assert str(caught.value).endswith(f"({__file__}:{handler.__code__.co_firstlineno})")


def test_a_request_is_no_websocket():
    async def handler(socket: WebSocket) -> None: ...

    with pytest.raises(TypeError, match="gets a Request, and 'socket' is a WebSocket"):
        API().get("/x")(handler)


def test_options_of_requests_are_none_of_websockets():
    with pytest.raises(TypeError, match=r"websocket\(\) has no option csrf, status"):
        API().websocket("/x", status=201, csrf=False)  # type: ignore[call-arg]
