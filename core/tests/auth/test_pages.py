"""Querysets in pages."""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from django.contrib.auth.models import Group, User
from django.db.models import F, QuerySet

from django_rivet import API, Cursor, LimitOffset, Page, PageNumber, Request, SessionAuth
from serving import problem, serving

SINCE = datetime(2026, 1, 1, tzinfo=UTC)


class Person(msgspec.Struct):
    username: str


class Team(msgspec.Struct):
    name: str
    id: int


api = API("/people")
people = User.objects.filter(username__startswith="page")


@api.get("/number", paginate=PageNumber(size=3, max_size=5), returns=list[Person])
@api.get("/fast", paginate=PageNumber(size=3, count=False), returns=list[Person])
@api.get("/offset", paginate=LimitOffset(3, 5), returns=list[Person])
@api.get("/cursor", paginate=Cursor(3, 5), returns=list[Person])
def by_name(prefix: str = "page") -> QuerySet[User]:
    return User.objects.filter(username__startswith=prefix).order_by("username")


@api.get("/async", paginate=PageNumber(size=3), returns=list[Person])
async def by_name_async(request: Request, prefix: str = "page") -> QuerySet[User]:
    assert request.path == "/people/async"
    return User.objects.filter(username__startswith=prefix).order_by("username")


@api.get("/of/{prefix}", paginate=PageNumber(size=3))
def of(prefix: str) -> list[Person]:
    return [Person(f"{prefix}{number}") for number in range(4)]


@api.get("/joined/{order}", paginate=Cursor(2), returns=list[Person])
def joined(order: str) -> QuerySet[User]:
    return people.order_by(*order.split(","))


@api.get("/values/{columns}", paginate=Cursor(3), returns=list[Person])
def values(columns: str) -> Any:
    return people.order_by("-date_joined").values("username", *columns.split(","))


@api.get("/groups", paginate=Cursor(3), returns=list[Team])
def groups() -> QuerySet[Group]:
    return Group.objects.order_by("-pk")


@api.get("/wrong/{how}", paginate=Cursor(2), returns=list[Person])
def wrong(how: str) -> Any:
    return {
        "unordered": people,
        "null": people.order_by("last_login"),
        "related": people.order_by("groups__name"),
        "expression": people.order_by(F("username").asc()),
        "list": [],
        "reversed": people.order_by("username").reverse(),
    }[how]


@api.get("/unordered", paginate=PageNumber(), returns=list[Person])
def unordered() -> QuerySet[User]:
    return people.all()


@pytest.fixture(scope="module")
def client(tables: None) -> Iterator[Any]:
    for number in range(8):
        joined_at = SINCE + timedelta(days=number // 3)  # some are equal
        User.objects.create_user(f"page{number}", date_joined=joined_at, first_name="x" if number % 2 else "y")
    with serving(api) as client:
        yield client


def _names(page: dict[str, Any]) -> list[str]:
    return [item["username"].removeprefix("page") for item in page["items"]]


@pytest.mark.parametrize("way", ["number", "async", "fast", "offset", "cursor"])
def test_there_and_back(client, way):
    url: str | None = f"/people/{way}?prefix=page"
    pages, back = [], []
    while url:
        page = client.get(url).json()
        pages.append(_names(page))
        assert page["count"] == (8 if way in ("number", "async", "offset") else None)
        url, last = page["next"], page
        assert url is None or ("prefix=page" in url and url.startswith(f"/people/{way}?"))
    assert pages == [["0", "1", "2"], ["3", "4", "5"], ["6", "7"]]
    while last["previous"]:
        last = client.get(last["previous"]).json()
        back.append(_names(last))
    assert back == [["3", "4", "5"], ["0", "1", "2"]]


def test_a_cursor_through_rows_of_values(client):
    seen, url = [], "/people/values/date_joined,id"
    while url:
        page = client.get(url).json()
        seen += _names(page)
        url = page["next"]
    assert sorted(seen) == list("01234567")


def test_sizes(client):
    assert _names(client.get("/people/number?page=2&size=5").json()) == ["5", "6", "7"]
    assert _names(client.get("/people/offset?limit=2&offset=5").json()) == ["5", "6"]
    assert _names(client.get("/people/cursor?size=5").json()) == ["0", "1", "2", "3", "4"]
    for query in (
        "number?size=6",
        "number?size=0",
        "number?page=0",
        "offset?offset=-1",
        "number?page=x",
        "cursor?size=9",
    ):
        problem(client.get(f"/people/{query}"), 422)
    beyond = client.get("/people/number?page=2147483648").json()
    assert (beyond["items"], beyond["count"], beyond["next"]) == ([], 8, None)


def test_a_list_and_an_annotation(client):
    page = client.get("/people/of/a").json()
    assert page == {
        "items": [{"username": "a0"}, {"username": "a1"}, {"username": "a2"}],
        "count": 4,
        "next": "/people/of/a?page=2&size=3",
        "previous": None,
    }


@pytest.mark.parametrize(
    "order",
    ["date_joined", "-date_joined", "first_name,-date_joined", "-first_name,username", "pk", "-id", "is_active,pk"],
)
def test_a_cursor_meets_everybody_once(client, order):
    expected = [user.username.removeprefix("page") for user in people.order_by(*order.split(","), "pk")]
    url: str | None = f"/people/joined/{order}"
    seen, back = [], []
    while url:
        last = client.get(url).json()
        seen += _names(last)
        url = last["next"]
    assert seen == expected
    back = _names(last)
    while last["previous"]:
        last = client.get(last["previous"]).json()
        back = _names(last) + back
    assert back == expected


def test_a_cursor_stays_where_it_is(client):
    Group.objects.bulk_create(Group(name=f"g{number}") for number in range(6))
    first = client.get("/people/groups").json()
    newest = Group.objects.create(name="newest")
    second = client.get(first["next"]).json()
    assert [item["name"] for item in first["items"] + second["items"]] == ["g5", "g4", "g3", "g2", "g1", "g0"]
    assert client.get(second["previous"]).json()["items"] == first["items"]
    before = client.get(client.get(second["previous"]).json()["previous"]).json()
    assert before["items"] == [{"name": "newest", "id": newest.pk}] and before["previous"] is None


@pytest.mark.parametrize("cursor", ["x", "bm9uZQ", "W2ZhbHNlXQ", "W2ZhbHNlLCAieCJd", "_" * 2000, "%C3%A9"])
def test_a_cursor_that_is_none(client, cursor):
    assert problem(client.get(f"/people/joined/pk?cursor={cursor}"), 400)["detail"].startswith("The cursor is not one")
    problem(client.get(f"/people/joined/pk?cursor={'x' * 2001}"), 422)
    null = base64.urlsafe_b64encode(b'[false,"\\u0000","1"]').decode().rstrip("=")  # PostgreSQL raises for it
    problem(client.get(f"/people/joined/username?cursor={null}"), 400)


def test_a_cursor_that_somebody_else_wrote(client):
    """What is in it goes into a query: a time such as this one would fail there."""
    values = base64.urlsafe_b64encode(b'[false,"0001-01-01T00:00:00+23:59","1"]').decode().rstrip("=")
    given = parse_qs(urlsplit(client.get("/people/joined/date_joined").json()["next"]).query)["cursor"][0]
    assert client.get("/people/joined/date_joined", params={"cursor": given}).status_code == 200
    for cursor in (values, f"{values}:{given.rpartition(':')[2]}"):
        problem(client.get("/people/joined/date_joined", params={"cursor": cursor}), 400)
    # And one of another list.
    problem(client.get("/people/joined/-date_joined", params={"cursor": given}), 400)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("unordered", "paginate needs an order: User.objects.order_by('pk')"),
        ("wrong/unordered", "paginate needs an order: User.objects.order_by('pk')"),
        ("wrong/null", "Cursor orders by columns of User that are never NULL, not by 'last_login'"),
        ("wrong/related", "Cursor orders by columns of User itself, not by 'groups__name'"),
        ("wrong/expression", "Cursor orders by columns of User itself, not by"),
        ("values/email", "Cursor needs 'date_joined' in each item, as the order has it: add it to values()"),
        ("wrong/list", "Cursor needs a queryset, not list"),
    ],
)
def test_what_has_no_pages(client, caplog, path, said):
    assert client.get(f"/people/{path}").status_code == 500
    assert said in caplog.text


def test_reversed(client):
    page = client.get("/people/wrong/reversed").json()
    assert _names(page) == ["7", "6"]
    assert _names(client.get(page["next"]).json()) == ["5", "4"]


def test_mistakes():
    made = API()
    with pytest.raises(TypeError, match=r"returns=list\[Item\]"):
        made.get("/", paginate=PageNumber())(unordered)
    with pytest.raises(TypeError, match="give a paginator, such as"):
        made.get("/", paginate=PageNumber, returns=list[Person])(unordered)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at least 1 item"):
        PageNumber(0)


def test_what_describes_it():
    number = next(route for route in api.routes if route.path == "/people/number").operation
    assert number.returns == Page[Person] and number.name == "by_name"
    assert [(each.location, each.name, each.default) for each in number.parameters] == [
        ("query", "prefix", "page"),
        ("query", "page", 1),
        ("query", "size", 3),
    ]
    schema = msgspec.json.schema(Page[Person])
    assert set(schema["$defs"]["Page_Person_"]["properties"]) == {"items", "count", "next", "previous"}


def test_with_auth(ada):
    made = API(auth=SessionAuth())
    made.get("/", paginate=PageNumber(), returns=list[Person])(by_name)
    with serving(made) as client:
        problem(client.get("/"), 401)
