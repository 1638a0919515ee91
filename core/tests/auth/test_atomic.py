"""Handlers in a transaction."""

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
import pytest
from django.contrib.auth.models import Group, Permission
from django.db import IntegrityError, connection

from django_rivet import API, Background, Depends, HTTPError, Request, Response, Router
from serving import problem, serving, until


class Made(msgspec.Struct):
    name: str


class Unsuited(msgspec.Struct):
    name: int


api = API("/made", atomic=True)
loose = Router("/loose", atomic=False)
api.include(loose)
after: list[tuple[str, int]] = []
ended: list[str] = []


def make(name: str) -> Group:
    return Group.objects.create(name=name)


def inside() -> bool:
    return connection.in_atomic_block


@api.post("/{name}")
@api.post("/blocking/{name}", blocking=True)
@loose.post("/{name}")
def plain(name: str) -> bool:
    make(name)
    return inside()


@api.post("/created/{name}", status=201)
def created(name: str) -> Made:
    made: Any = make(name)
    return made


@api.post("/raised/{name}")
@loose.post("/raised/{name}")
def raised(name: str) -> None:
    make(name)
    raise HTTPError(409, "That does not go.")


@api.post("/broken/{name}")
def broken(name: str) -> None:
    make(name)
    raise KeyError(name)


@api.post("/refused/{name}")
def refused(name: str) -> Response[str]:
    make(name)
    return Response("kept all the same", status=409)


@api.post("/unfit/{name}", returns=Unsuited)
@loose.post("/unfit/{name}", returns=Unsuited)
def unfit(name: str) -> Group:
    return make(name)


@api.post("/many/{name}", returns=list[Made])
def many(name: str) -> Any:
    make(name)
    assert inside()
    return (each for each in Group.objects.filter(name=name) if inside())


def provided(name: str) -> Iterator[str]:
    make(name)
    try:
        yield name
    except HTTPError:
        ended.append("error")
        raise
    except IntegrityError:
        ended.append("integrity")
        raise
    ended.append("inside" if inside() else "outside")


@api.post("/provided/{name}")
def with_provider(name: str, again: Annotated[str, Depends(provided)], work: Background) -> str:
    work.add(lambda: after.append((name, Group.objects.filter(name=name).count())))
    if name == "bad":
        raise HTTPError(400)
    return again


@api.post("/late/{name}", status=201)
def late(request: Request, name: str, again: Annotated[str, Depends(provided)]) -> Made:
    # Foreign keys are checked at the commit.
    Permission.objects.create(name=name, codename=name, content_type_id=10**6)
    return Made(again)


@api.post("/late/plain/{name}", status=201)
def late_plain(name: str) -> Made:
    Permission.objects.create(name=name, codename=name, content_type_id=10**6)
    return Made(name)


@pytest.fixture(scope="module")
def client(tables: None) -> Iterator[Any]:
    with serving(api) as client:
        yield client


def kept(name: str) -> bool:
    return Group.objects.filter(name=name).exists()


@pytest.mark.parametrize(
    ("path", "status", "is_kept"),
    [
        ("", 200, True),
        ("blocking/", 200, True),
        ("created/", 201, True),
        ("many/", 200, True),
        ("refused/", 409, True),
        ("raised/", 409, False),
        ("broken/", 500, False),
        ("unfit/", 500, False),
    ],
)
def test_all_or_nothing(client, path, status, is_kept):
    name = f"group-{path.strip('/')}"
    for turn in range(2):  # the second one runs inline
        answer = client.post(f"/made/{path}{name}{turn}")
        assert (answer.status_code, kept(f"{name}{turn}")) == (status, is_kept), answer.text
        if path in ("", "blocking/"):
            assert answer.text == "true"
        if path in ("created/", "many/"):
            assert name in answer.text


@pytest.mark.parametrize("path", ["raised/", "unfit/"])
def test_a_route_without_it(client, path):
    client.post(f"/made/loose/{path}kept-{path.strip('/')}")
    assert kept(f"kept-{path.strip('/')}")
    assert client.post(f"/made/loose/plain-{path.strip('/')}").text == "false"


def test_providers_are_inside_and_end_after_the_commit(client):
    ended.clear()
    after.clear()
    assert client.post("/made/provided/good").text == "good"
    assert kept("good") and ended == ["outside"]
    until(lambda: after == [("good", 1)], "the work")
    problem(client.post("/made/provided/bad"), 400)
    assert not kept("bad") and ended == ["outside", "error"]


def test_what_cannot_be():
    made = API(atomic=True)

    @made.get("/")
    async def later() -> None:
        pass

    with pytest.raises(TypeError, match=r"GET /: an async def handler cannot be atomic.*test_atomic.py:\d+"):
        _ = made.routes
    made = API()
    made.get("/", atomic=True, inline=True)(lambda: None)
    with pytest.raises(TypeError, match="inline says that nothing blocks"):
        _ = made.routes


def test_another_database():
    made = API()
    made.get("/", atomic="other")(lambda: None)
    with serving(made) as client:
        assert client.get("/").status_code == 500  # ConnectionDoesNotExist: there is no such database


def test_a_commit_that_fails(client):
    """Nothing has been answered by then, and providers see it."""
    ended.clear()
    assert client.post("/made/late/x").status_code == 500
    assert not kept("x") and ended == ["integrity"]
    assert client.post("/made/late/plain/x").status_code == 500
