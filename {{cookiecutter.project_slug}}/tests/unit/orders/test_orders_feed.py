import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from asgiref.testing import ApplicationCommunicator
from channels.layers import InMemoryChannelLayer
from channels.routing import get_default_application
from django.conf import settings as django_settings
from django.test import Client
from msgspec import to_builtins
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from orders import feed
from orders.models import Order
from tests.unit.orders.making import MakeOrder

ORIGIN = django_settings.PUBLIC_URL.origin


class Line:
    """A client's side of the WebSocket. (channels.testing has one too, which needs daphne.)"""

    def __init__(self, client: Client, origin: str | None = ORIGIN) -> None:
        cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
        headers = [(b"cookie", cookies.encode())]
        if origin is not None:
            headers.append((b"origin", origin.encode()))
        scope = {"type": "websocket", "path": "/ws/orders/", "query_string": b"", "headers": headers}
        self.application = ApplicationCommunicator(get_default_application(), scope)

    async def connect(self) -> dict[str, Any]:
        await self.application.send_input({"type": "websocket.connect"})
        return await self.next()

    async def send(self, text: str | None = None, **message: Any) -> None:
        await self.application.send_input({"type": "websocket.receive", "text": text, **message})

    async def next(self) -> dict[str, Any]:
        return dict(await self.application.receive_output(timeout=5))

    async def hear(self) -> Any:
        message = await self.next()
        assert message["type"] == "websocket.send"
        return json.loads(message["text"])

    async def leave(self) -> None:
        await self.application.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.application.wait()


def talk(client: Client, conversation: Callable[[Line], Awaitable[None]]) -> None:
    async def run() -> None:
        line = Line(client)
        assert (await line.connect())["type"] == "websocket.accept"
        assert (await line.hear())["type"] == "welcome"
        await conversation(line)
        await line.leave()

    async_to_sync(run)()


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "http://localhost:9", "null", "", None])
def test_a_foreign_origin_is_refused(member: Client, origin: str | None) -> None:
    assert async_to_sync(Line(member, origin).connect)()["type"] == "websocket.close"


@pytest.mark.django_db
def test_strangers_are_told_to_sign_in(client: Client) -> None:
    async def run() -> None:
        line = Line(client)
        assert (await line.connect())["type"] == "websocket.accept"
        assert (await line.next())["code"] == 4401

    async_to_sync(run)()


def test_echo(member: Client) -> None:
    async def conversation(line: Line) -> None:
        message = {"type": "echo", "data": {"a": ["ü", None]}}
        await line.send(json.dumps(message))
        assert await line.hear() == message

    talk(member, conversation)


@pytest.mark.parametrize("text", ["", "{", "[]", "1", '{"type": "unknown"}', '{"type": "echo"}', "[" * 60_000])
def test_nonsense_is_answered_and_does_no_harm(member: Client, text: str) -> None:
    async def conversation(line: Line) -> None:
        await line.send(text)
        assert (await line.hear())["type"] == "error"
        await line.send('{"type": "echo", "data": 1}')
        assert (await line.hear())["data"] == 1

    talk(member, conversation)


@pytest.mark.parametrize(("message", "code"), [({"text": "a" * 70_000}, 1009), ({"bytes": b"{}"}, 1003)])
def test_long_and_binary_messages_end_the_connection(member: Client, message: dict[str, Any], code: int) -> None:
    async def conversation(line: Line) -> None:
        await line.send(**message)
        assert await line.next() == {"type": "websocket.close", "code": code}

    talk(member, conversation)


def test_an_order_is_broadcast(member: Client, make_order: MakeOrder) -> None:
    order = to_builtins(feed.describe(make_order("Lemons", photo="orders/a.jpg")))
    assert order["photo_url"].endswith("/orders/a.jpg")

    async def conversation(line: Line) -> None:
        await feed.send(order)
        assert await line.hear() == {"type": "order", "order": order}

    talk(member, conversation)


class DeadLayer(InMemoryChannelLayer):
    async def group_add(self, group: str, channel: str) -> None:
        raise ConnectionError("the queue is away")

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        raise ConnectionError("the queue is away")


def test_an_order_is_saved_without_the_feed(
    member: Client, settings: Settings, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": f"{__name__}.DeadLayer"}}
    with django_capture_on_commit_callbacks(execute=True):
        answer = member.post("/api/orders/", {"title": "Lemons", "quantity": 1}, content_type="application/json")
    assert answer.status_code == 201
    assert Order.objects.get().status == Order.Status.CONFIRMED


def test_a_page_is_told_to_come_again(member: Client, settings: Settings) -> None:
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": f"{__name__}.DeadLayer"}}

    async def run() -> None:
        line = Line(member)
        await line.connect()
        assert (await line.next())["code"] == 1013

    async_to_sync(run)()


def test_nobody_waits_for_a_feed_that_hangs(make_order: MakeOrder, monkeypatch: pytest.MonkeyPatch) -> None:
    class HangingLayer(InMemoryChannelLayer):
        async def group_send(self, group: str, message: dict[str, Any]) -> None:
            await asyncio.sleep(5)

    monkeypatch.setattr(feed, "SECONDS", 0.05)
    monkeypatch.setattr(feed, "get_channel_layer", HangingLayer)
    with pytest.raises(TimeoutError):
        feed.broadcast(make_order())


def test_news_come_in_order(
    member: Client, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    told: list[str] = []

    async def send(order: dict[str, Any]) -> None:
        told.append(order["status"])

    monkeypatch.setattr(feed, "send", send)
    with django_capture_on_commit_callbacks(execute=True):
        member.post("/orders/", {"title": "Lemons", "quantity": 1})
    assert told == ["received", "confirmed"]
