import json
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from orders.models import Order
from tests.unit.orders.making import MakeOrder
from users.models import User

API = "/api/orders/"
ORDER = {"title": "Lemons", "quantity": 3}


def post(client: Client, data: Any, **options: Any) -> Any:
    return client.post(API, data, content_type="application/json", **options)


def problem_in(answer: Any, status: int) -> dict[str, Any]:
    """https://www.rfc-editor.org/rfc/rfc9457"""
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem: dict[str, Any] = json.loads(answer.content)
    assert problem["status"] == status
    assert problem["title"]
    return problem


def wrong_fields(answer: Any) -> list[str]:
    return [error.get("name") or error["pointer"] for error in problem_in(answer, 422)["errors"]]


def test_create_and_read(member: Client, user: User) -> None:
    created = post(member, ORDER)
    assert created.status_code == 201
    order = created.json()
    assert (order["title"], order["quantity"], order["status"], order["customer"]) == ("Lemons", 3, "received", "ada")
    assert Order.objects.get(pk=order["id"]).user == user
    assert created.headers["Location"] == f"{API}{order['id']}/"
    assert member.get(created.headers["Location"]).json() == order
    assert member.get(API).json() == {"orders": [order], "next": None}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": None}, "#/title"),
        ({"title": ""}, "#/title"),
        ({"title": " "}, "#/title"),
        ({"title": "a\0b"}, "#/title"),
        ({"title": 5}, "#/title"),
        ({"title": ["Lemons"]}, "#/title"),
        ({"title": "a" * 121}, "#/title"),
        ({"quantity": None}, "#/quantity"),
        ({"quantity": "3"}, "#/quantity"),
        ({"quantity": True}, "#/quantity"),
        ({"quantity": 1.5}, "#/quantity"),
        ({"quantity": 0}, "#/quantity"),
        ({"quantity": 10**30}, "#/quantity"),
    ],
)
def test_a_wrong_field_is_named(member: Client, change: dict[str, object], field: str) -> None:
    assert wrong_fields(post(member, json.dumps(ORDER | change))) == [field]
    assert not Order.objects.exists()


@pytest.mark.parametrize("missing", ["title", "quantity"])
def test_a_missing_field_is_named(member: Client, missing: str) -> None:
    order = {name: value for name, value in ORDER.items() if name != missing}
    assert wrong_fields(post(member, order)) == [f"#/{missing}"]


@pytest.mark.parametrize("body", [b"{", b"\xff", b'{"title": "\\ud83c"}'])
def test_what_is_no_json_is_refused(member: Client, body: bytes) -> None:
    problem_in(post(member, body), 400)


@pytest.mark.parametrize("body", [b"[]", b"null", b'"text"', b"1" * 5000, b"[" * 100_000])
def test_what_is_no_object_is_refused(member: Client, body: bytes) -> None:
    assert wrong_fields(post(member, body)) == ["#"]


def test_another_media_type_is_refused(member: Client) -> None:
    problem_in(member.post(API, ORDER), 415)


@pytest.mark.parametrize(("method", "path"), [("get", API), ("post", API), ("get", f"{API}1/"), ("get", "/api/docs")])
def test_strangers_are_refused(client: Client, method: str, path: str) -> None:
    problem_in(getattr(client, method)(path), 401)


@pytest.mark.parametrize(("path", "method"), [(API, "delete"), (API, "put"), (f"{API}1/", "post")])
def test_other_methods_are_refused(member: Client, path: str, method: str) -> None:
    answer = getattr(member, method)(path)
    problem_in(answer, 405)
    assert "GET" in answer.headers["Allow"]


def test_a_missing_order(member: Client) -> None:
    problem_in(member.get(f"{API}1/"), 404)


@pytest.mark.parametrize("number", ["0", "a", str(10**30)])
def test_what_is_no_number_of_an_order(member: Client, number: str) -> None:
    assert wrong_fields(member.get(f"{API}{number}/")) == ["order_id"]


def test_the_csrf_token_is_asked_for(user: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    problem_in(post(client, ORDER), 403)
    client.get("/orders/")
    token = client.cookies["csrftoken"].value
    assert post(client, ORDER, headers={"X-CSRFToken": token}).status_code == 201


def test_pages_hold_all_orders_once(member: Client, make_order: MakeOrder) -> None:
    orders = [make_order().pk for _ in range(5)]
    seen, address = [], f"{API}?limit=2"
    while address:
        page = member.get(address).json()
        seen += [order["id"] for order in page["orders"]]
        address = page["next"]
        assert len(page["orders"]) <= 2
    assert seen == orders[::-1]


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=a", "before=0", "before=", f"before={10**30}"])
def test_pages_are_bounded(member: Client, query: str) -> None:
    assert wrong_fields(member.get(f"{API}?{query}")) == [query.partition("=")[0]]


def test_a_page_takes_as_many_queries_for_many_orders(
    member: Client, make_order: MakeOrder, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    member.get(API)  # takes the session into the cache
    for count in 1, 15:
        while Order.objects.count() < count:
            make_order()
        with django_assert_num_queries(2):  # the visitor, the orders
            assert len(member.get(API).json()["orders"]) == count


def test_answers_are_not_kept(member: Client, make_order: MakeOrder) -> None:
    """Photos have addresses that expire, and "back" after signing out must show nothing."""
    for path in API, f"{API}{make_order().pk}/":
        assert "no-store" in member.get(path).headers["Cache-Control"]


def test_the_document_describes_the_api(member: Client) -> None:
    document = member.get("/api/docs/openapi.json").json()
    operations = document["paths"][API]
    assert operations["post"]["security"] == [{"session": [], "csrf": []}]
    assert operations["post"]["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("/NewOrder")
    assert {*operations["get"]["responses"]} == {"200", "401", "422"}
