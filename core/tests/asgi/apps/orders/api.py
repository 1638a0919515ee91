"""An app with native handlers, one API imported from elsewhere among them."""

from apps.clash.api import shared as also_shared  # noqa: F401
from django_rivet import API

api = API(prefix="/orders")


@api.get("/{number}")
async def read(number: str) -> dict[str, str]:
    """Gives one order."""
    return {"number": number}


@api.websocket("/live")
async def live(socket) -> None:
    """Greets."""
    socket.accept()
    await socket.send("hello")
