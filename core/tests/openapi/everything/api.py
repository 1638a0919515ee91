"""Handlers of every kind."""

import datetime
import decimal
import enum
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet
from django.http import FileResponse, HttpResponseRedirect, JsonResponse

from django_rivet import (
    API,
    APIKeyAuth,
    BearerAuth,
    Body,
    Cookie,
    Depends,
    EventStream,
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
    UploadedFile,
)
from django_rivet.openapi import Docs

api = API("/api", tags=["all"])
router = Router("/items", tags=["items"], responses={404: HTTPError})
api.include(router)
api.include(Docs("/docs", title="Everything", version="1.2", description="All kinds."))

Positive = Annotated[int, msgspec.Meta(ge=1, le=2**31)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=20)]


class Colour(enum.Enum):
    """What it looks like."""

    RED = "red"
    GREEN = "green"


class Size(msgspec.Struct, rename="camel"):
    in_metres: float
    exact: decimal.Decimal = decimal.Decimal("0.5")


class Item(msgspec.Struct):
    """A thing."""

    name: Name
    price: Annotated[int, msgspec.Meta(ge=0, le=10**9)] = 0
    colour: Colour = Colour.RED
    size: Size | None = None
    tags: list[Name] = []
    made: datetime.datetime | None = None
    day: datetime.date | None = None
    key: uuid.UUID | None = None
    more: dict[str, int] = {}


class Cat(msgspec.Struct, tag="cat"):
    lives: Annotated[int, msgspec.Meta(ge=0, le=9)]


class Dog(msgspec.Struct, tag="dog"):
    name: str


class Filter(msgspec.Struct):
    sort: Literal["name", "price"] = "name"
    least: Annotated[float, msgspec.Meta(ge=0)] | None = None
    tag: list[str] = []


class Login(msgspec.Struct):
    user: Name
    remember: bool = False


def limited(limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 20) -> int:
    return limit


@router.get("/{id}")
async def read(id: Positive) -> Item:
    """One item.

    The odd ones are not there.
    """
    if id % 2:
        raise HTTPError(404, "There is no such item.")
    return Item(str(id)[:20], id % 10**9)


@router.put("/{number}")
async def replace(number: Positive, item: Item) -> Item:
    return item


@router.delete("/{id}")
def remove(id: uuid.UUID | Positive) -> None:
    return None


@router.get("")
def search(filter: Annotated[Filter, Query()], limit: Annotated[int, Depends(limited)]) -> list[Item]:
    return [Item(tag[:20] or "-") for tag in filter.tag][:limit]


@router.post("", status=201)
async def create(item: Item) -> Response[Item]:
    return Response(item, headers={"Location": "/api/items/2"})


@api.get("/dates/{day}")
async def dates(day: datetime.date, at: datetime.datetime | None = None) -> dict[str, str]:
    return {"day": day.isoformat(), "at": at.isoformat() if at else ""}


@api.get("/numbers")
async def numbers(whole: int, many: list[int], part: float = 0.5, exact: bool = False) -> list[float]:
    return [whole, part, float(exact), *many]


@api.get("/texts/{first}/{second}")
async def texts(first: str, second: str, third: str) -> str:
    return f"{first} {second} {third}"


@api.get("/fields", operation_id="fields", deprecated=True)
async def fields(
    x_key: Annotated[Name, Header()],
    count: Annotated[int, Header("X-Count")] = 1,
    x_numbers: Annotated[list[int], Header()] = [],  # noqa: B006
    theme: Annotated[Literal["dark", "light"], Cookie()] = "dark",
) -> dict[str, object]:
    return {"key": x_key, "count": count, "numbers": x_numbers, "theme": theme}


@api.post("/pets")
async def pets(pet: Cat | Dog) -> list[Cat | Dog]:
    return [pet]


@api.post("/maybe")
async def maybe(item: Item | None = None) -> Item | None:
    return item


@api.patch("/numbers")
async def add(numbers: Annotated[list[int], Body()]) -> dict[str, int]:
    return {"sum": sum(numbers)}


@api.post("/login")
def login(login: Annotated[Login, Form()], note: Annotated[str, Form()] = "") -> dict[str, object]:
    return {"user": login.user, "remember": login.remember, "note": note}


@api.post("/picture")
def picture(title: Annotated[Name, Form()], picture: UploadedFile) -> dict[str, int]:
    return {"size": picture.size or 0}


@api.get("/bytes", responses={200: "application/pdf"})
async def pdf() -> Response[bytes]:
    return Response(b"%PDF", headers={"Content-Type": "application/pdf"})


def version(number: Positive) -> str:
    return f"v{number}"


@api.get("/versions/{number}", etag=version)
async def read_version(number: Positive) -> Item:
    return Item("lemon")


@api.put("/versions/{number}", etag=version, last_modified=lambda: datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC))
async def write_version(number: str, item: Item) -> Item:
    return item


@api.get("/old")
def old() -> HttpResponseRedirect:
    return HttpResponseRedirect("/api/items")


@api.get("/django")
def django() -> JsonResponse:
    return JsonResponse({"a": 1})


@api.get("/file")
def file() -> FileResponse:
    return FileResponse(Path(__file__).open("rb"), content_type="text/x-python")


@api.get("/export", responses={200: "text/csv"})
def export() -> Stream:
    def lines() -> Iterator[str]:
        yield "name,price\n"

    return Stream(lines(), content_type="text/csv")


@api.get("/events")
async def events() -> EventStream:
    async def each() -> AsyncIterator[ServerSentEvent]:
        yield ServerSentEvent({"sold": 1}, event="sale")

    return EventStream(each())


@api.get("/me", auth=[SessionAuth(), BearerAuth(lambda token: "ada" if token == "secret" else None)])
def me(request: Request) -> str:
    return str(request.user)


@api.post("/me", auth=SessionAuth())
def rename(request: Request, name: Name) -> str:
    return name


@api.get("/partner", auth=APIKeyAuth(lambda key: "partner" if key == "key" else None))
async def partner() -> dict[str, bool]:
    return {"partner": True}


class Kind(msgspec.Struct):
    model: str


@api.get("/kinds", paginate=PageNumber(size=2, max_size=10), returns=list[Kind], responses={404: HTTPError})
def kinds() -> QuerySet[ContentType]:
    return ContentType.objects.order_by("model")


@api.get("/hidden", include_in_schema=False)
async def hidden() -> None: ...


@api.websocket("/live")
async def live(socket: object) -> None: ...
