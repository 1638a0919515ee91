from typing import Any

import pytest
from asgiref.sync import async_to_sync
from asgiref.testing import ApplicationCommunicator
from channels.routing import get_default_application
from django.conf import settings


@async_to_sync
async def first_answer(path: str, origin: str | None) -> Any:
    headers = [(b"origin", origin.encode())] if origin else []
    scope = {"type": "websocket", "path": path, "query_string": b"", "headers": headers, "subprotocols": []}
    socket = ApplicationCommunicator(get_default_application(), scope)
    await socket.send_input({"type": "websocket.connect"})
    answer = await socket.receive_output(timeout=5)
    await socket.send_input({"type": "websocket.disconnect", "code": 1005})
    await socket.wait()
    return answer["type"]


@pytest.fixture
def welcoming(monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind the check of the origin everybody is let in."""

    async def accept(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await receive()

    monkeypatch.setattr(get_default_application().application_mapping["websocket"], "application", accept)


def test_our_own_origin_is_let_in(welcoming: None) -> None:
    assert first_answer("/ws/", settings.PUBLIC_URL.origin) == "websocket.accept"


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "null",
        "http://elsewhere.example",
        "http://localhost",
        "http://localhost:8001",
        "http://localhost:80000",
        "https://localhost:8000",
        "http://localhost.elsewhere.example:8000",
    ],
)
@pytest.mark.django_db(transaction=True)
def test_a_foreign_origin_is_refused(welcoming: None, origin: str | None) -> None:
    assert first_answer("/ws/", origin) == "websocket.close"


@pytest.mark.django_db(transaction=True)
def test_an_unknown_path_is_refused_without_an_error() -> None:
    assert first_answer("/ws/nothing/", settings.PUBLIC_URL.origin) == "websocket.close"
