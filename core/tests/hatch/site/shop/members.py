"""Users that no database has, and handlers for them: these three servers share none."""

import asyncio
from typing import Annotated, Any

from django.contrib.auth import alogin, login
from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.models import User, update_last_login
from django.contrib.auth.signals import user_logged_in
from django.db import connection

from django_rivet import (
    Anonymous,
    BearerAuth,
    CurrentUser,
    IsStaff,
    PageNumber,
    Request,
    Response,
    Router,
    SessionAuth,
    Stream,
    Throttle,
    WebSocket,
    csrf_token,
)

USERS = {
    1: User(pk=1, username="ada", password="!"),
    2: User(pk=2, username="grace", password="!", is_staff=True),
}
user_logged_in.disconnect(update_last_login, dispatch_uid="update_last_login")


class Members(BaseBackend):
    """Knows them by their number."""

    def get_user(self, user_id: int) -> User | None:
        """As Django asks for the user of a session."""
        return USERS.get(int(user_id))


def check(token: str) -> User | None:
    """Tokens are names."""
    return next((user for user in USERS.values() if user.username == token), None)


router = Router("/members", auth=[SessionAuth(), BearerAuth(check)])


def _name(user: Any) -> str:
    return user.get_username() or "nobody"


@router.get("/sync")
@router.post("/sync")
def name(request: Request) -> str:
    return _name(request.user)


@router.get("/async")
@router.post("/async")
async def name_async(user: Annotated[User, CurrentUser]) -> str:
    return _name(user)


@router.get("/suspends")
@router.post("/suspends")
async def name_suspends(request: Request) -> str:
    await asyncio.sleep(0.001)
    return _name(await request.auser())


@router.get("/lazy/sync", auth=None)
@router.post("/lazy/sync", auth=None)
def lazy(request: Request) -> str:
    return _name(request.user)


@router.get("/lazy/async", auth=None)
@router.post("/lazy/async", auth=None)
async def lazy_async(request: Request) -> str:
    return _name(await request.auser())


@router.get("/staff/sync", permissions=IsStaff)
def staff() -> str:
    return "staff"


@router.get("/staff/async", permissions=IsStaff)
async def staff_async() -> str:
    return "staff"


@router.get("/token", auth=None)
async def token(request: Request) -> str:
    return csrf_token(request)


@router.post("/login/sync", auth=Anonymous())
def log_in(request: Request) -> Response[str]:
    login(request.django, USERS[1], "shop.members.Members")
    return Response(_name(request.user), status=201)


@router.post("/login/async", auth=Anonymous())
async def log_in_async(request: Request) -> Response[str]:
    await alogin(request.django, USERS[1], "shop.members.Members")
    return Response(_name(request.user), status=201)


@router.get("/visits/sync", auth=None)
def visits(request: Request) -> int:
    request.session["visits"] = request.session.get("visits", 0) + 1
    return int(request.session["visits"])


@router.get("/visits/async", auth=None)
async def visits_async(request: Request) -> int:
    await request.session.aset("visits", await request.session.aget("visits", 0) + 1)
    return int(await request.session.aget("visits"))


@router.get("/visits/stream", auth=None)
async def visits_stream(request: Request) -> Stream:
    return Stream([str(await visits_async(request))])


@router.get("/often/address", auth=None, throttle=Throttle("1/day"))
def often_address() -> str:
    return "in"


@router.get("/often/sync", auth=None, throttle=Throttle("2/day", key=lambda request: request.header("x-who")))
def often() -> str:
    return "yes"


@router.get("/often/async", auth=None, throttle=Throttle("2/day", key=lambda request: request.header("x-who")))
async def often_async() -> str:
    return "yes"


@router.get("/chain/sync", auth=None, middleware=["django.middleware.gzip.GZipMiddleware"])
def chained(request: Request) -> str:
    return "to be compressed " * 100 + (request.header("x-one") or "")


@router.get("/chain/async", auth=None, middleware=["django.middleware.gzip.GZipMiddleware"])
async def chained_async(request: Request) -> str:
    await asyncio.sleep(0)
    return "to be compressed " * 100 + (request.header("x-one") or "")


@router.get("/pages/sync", auth=None, paginate=PageNumber(2))
def pages(request: Request) -> list[int]:
    return [1, 2, 3]


@router.get("/pages/async", auth=None, paginate=PageNumber(2))
async def pages_async() -> list[int]:
    return [1, 2, 3]


@router.get("/atomic", auth=None, atomic=True)
def within() -> bool:
    return connection.in_atomic_block


@router.websocket("/socket")
async def socket(socket: WebSocket) -> None:
    socket.accept()
    await socket.send(_name(socket.user))
