"""Handlers of django-ninja, sync and async."""

from datetime import date
from typing import Annotated, Any, Literal

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from ninja import File, Form, Header, NinjaAPI, Path, Query, Router, Schema
from ninja.errors import HttpError
from ninja.files import UploadedFile
from ninja.orm import ModelSchema
from ninja.pagination import paginate
from ninja.security import APIKeyHeader, HttpBearer, django_auth
from ninja.throttling import AnonRateThrottle

from notes.models import Note

api = NinjaAPI(title="Notes", version="1.2")


class NoteOut(ModelSchema):
    class Meta:
        model = Note
        fields = ["id", "title", "text"]


class NoteIn(Schema):
    title: str
    text: str = ""
    due: date | None = None


class Message(Schema):
    detail: str


class SoldOut(Exception):
    pass


@api.exception_handler(SoldOut)
def sold_out(request: HttpRequest, error: SoldOut) -> HttpResponse:
    return api.create_response(request, {"detail": "sold out"}, status=409)


class Key(APIKeyHeader):
    param_name = "X-Key"

    def authenticate(self, request: HttpRequest, key: str | None) -> str | None:
        return "ada" if key == "secret" else None


class Bearer(HttpBearer):
    async def authenticate(self, request: HttpRequest, token: str) -> User | None:
        return await User.objects.filter(username=token).afirst()


@api.get("/add/{int:a}")
def add(request: HttpRequest, a: int, b: int = 1, kind: Literal["sum", "text"] = "sum") -> dict[str, object]:
    return {"result": a + b if kind == "sum" else f"{a} {b}"}


@api.get("/later/{name}")
async def later(
    request: HttpRequest,
    name: Annotated[str, Path(max_length=5)],
    tag: Annotated[list[str], Query()],
    agent: Annotated[str, Header(alias="X-Agent")] = "none",
) -> dict[str, object]:
    return {"name": name, "tags": tag, "agent": agent}


@api.post("/form")
def form(request: HttpRequest, title: Annotated[str, Form()], files: Annotated[list[UploadedFile], File()]) -> Any:
    return [title, *((each.name, each.size, each.read().decode()) for each in files)]


@api.get("/keyed", auth=Key())
def keyed(request: HttpRequest) -> dict[str, object]:
    return {"auth": request.auth}


@api.get("/bearer", auth=Bearer())
async def bearer(request: HttpRequest) -> dict[str, object]:
    return {"auth": request.auth.username}


@api.get("/errors/{kind}")
async def errors(request: HttpRequest, kind: str) -> None:
    if kind == "http":
        raise HttpError(418, "a teapot")
    if kind == "own":
        raise SoldOut
    raise RuntimeError("a secret")


@api.get("/stream")
def stream(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse((f"{number}\n" for number in range(5)), content_type="text/plain")


@api.get("/seldom", throttle=[AnonRateThrottle("2/d")])
def seldom(request: HttpRequest) -> str:
    return "now"


notes = Router(tags=["notes"])


@notes.get("", response=list[NoteOut])
@paginate
def listed(request: HttpRequest, search: str = "") -> Any:
    return Note.objects.filter(title__contains=search)


@notes.get("/{number}", response={200: NoteOut, 404: Message})
async def read(request: HttpRequest, number: int) -> Any:
    note = await Note.objects.filter(pk=number).afirst()
    return note or (404, {"detail": f"There is no note {number}."})


@notes.post("", response={201: NoteOut}, auth=django_auth)
def create(request: HttpRequest, note: NoteIn) -> Any:
    return 201, Note.objects.create(title=note.title, text=note.text, owner=request.user)


@notes.delete("/{number}", response={204: None}, auth=django_auth)
def delete(request: HttpRequest, number: int) -> Any:
    Note.objects.filter(pk=number, owner=request.user).delete()
    return 204, None


api.add_router("/notes", notes)
