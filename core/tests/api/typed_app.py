"""An app as people write it; test_types.py has mypy read it. Lines with `# error:` are mistakes that mypy must find."""

from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Literal

import msgspec
from django.http import HttpResponse

from django_rivet import (
    API,
    Background,
    BearerAuth,
    Cookie,
    CurrentUser,
    Depends,
    EventStream,
    File,
    Form,
    Header,
    HTTPError,
    PageNumber,
    Query,
    Request,
    Response,
    Router,
    ServerSentEvent,
    SessionAuth,
    Stream,
    Throttle,
    UploadedFile,
    WebSocket,
)

api = API("/shop", tags=["shop"])
router = Router("/items")
api.include(router, prefix="/v1")


class Item(msgspec.Struct):
    name: str
    price: Annotated[int, msgspec.Meta(ge=0)] = 0


class Filter(msgspec.Struct):
    sort: Literal["name", "price"] = "name"
    tags: list[str] = []


class OutOfStock(Exception):
    pass


def current_user(x_key: Annotated[str, Header()], session: Annotated[str | None, Cookie()] = None) -> str:
    return session or x_key


async def transaction(user: Annotated[str, Depends(current_user)]) -> AsyncIterator[int]:
    yield len(user)


@router.get("")
def items(filter: Annotated[Filter, Query()], limit: Annotated[int, msgspec.Meta(le=100)] = 20) -> list[Item]:
    return [Item(tag) for tag in filter.tags][:limit]


@router.get("/{id}", name="item", tags=["read"])
async def item(id: int, number: Annotated[int, Depends(transaction)]) -> Item:
    if id > number:
        raise HTTPError(404, "There is no such item.")
    return Item(str(id))


@router.post("", status=201)
async def create(request: Request, item: Item, after: Background) -> Response[Item]:
    after.add(print, item.name, sep="")
    return Response(item, headers={"Location": f"{request.path}/7"})


@router.post("/{id}/picture", blocking=True)
def picture(id: int, title: Annotated[str, Form()], picture: Annotated[UploadedFile, File()]) -> HttpResponse:
    return HttpResponse(f"{id} {title} {picture.name}")


async def find(token: str) -> str | None:
    return token if token == "ada" else None


@api.get("/me", auth=[BearerAuth(find)], permissions=lambda user: bool(user), throttle=Throttle("100/min"))
def me(user: Annotated[str, CurrentUser]) -> int:
    return len(user.upper())


@api.get("/all", paginate=PageNumber(size=2), returns=list[Item])
def everything() -> list[Item]:
    return [Item("a"), Item("b"), Item("c")]


@api.get("/export")
def export() -> Stream:
    def lines() -> Iterator[str]:
        yield "name,price\n"

    return Stream(lines(), content_type="text/csv")


@api.get("/events")
async def events() -> EventStream:
    async def each() -> AsyncIterator[ServerSentEvent]:
        yield ServerSentEvent({"sold": 1}, event="sale")

    return EventStream(each(), ping=30)


@api.websocket("/live/{room}")
async def live(socket: WebSocket, room: int, user: Annotated[str, Depends(current_user)], since: int = 0) -> None:
    socket.accept()
    await socket.send(f"{user} {room + since}")


@api.exception(OutOfStock)
def out_of_stock(request: Request, error: OutOfStock) -> Response[dict[str, str]]:
    return Response({"path": request.path}, status=409)


def mistakes() -> None:
    """Each of these also raises when it is run; so nobody calls this."""
    api.get("/", stauts=201)  # error: call-arg
    api.get("/", status="201")  # error: arg-type
    api.get(7)  # error: arg-type
    api.include(api.get)  # error: arg-type
    api.get("/", auth=SessionAuth)  # error: arg-type
    api.get("/", throttle="5/min")  # error: arg-type
    api.websocket("/w", csrf=False)  # error: call-arg
    API(auth=BearerAuth(7))  # error: arg-type
    api.exception(int)  # error: type-var
    api.websocket("/x")(lambda: None)  # error: type-var
    HTTPError("404")  # error: arg-type
    Response(1, headers=7)  # error: call-overload
    Query(ge=1)  # error: arg-type
    Background().add(current_user, 7)  # error: arg-type

    @api.exception(OutOfStock)  # error: arg-type
    def wrong_error(request: Request, error: int) -> None: ...

    @api.websocket("/y")  # error: type-var
    def not_async(socket: WebSocket) -> None: ...

    @api.websocket("/z")  # error: type-var
    async def no_socket(room: int) -> None: ...
