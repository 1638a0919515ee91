import json
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from orders.models import Order
from tests.unit.orders.making import MakeOrder
from users.models import User

API = "/api/orders/"
ORDER = {"title": "Lemons", "quantity": 3}


def post(client: Client, data: Any, **options: Any) -> Any:
    return client.post(API, data, content_type="application/json", **options)


def error_in(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/json"
    error: dict[str, Any] = json.loads(answer.content)["error"]
    assert error["code"]
    assert error["message"]
    return error


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
    ("change", "fields"),
    [
        ({"title": None}, ["title"]),
        ({"title": ""}, ["title"]),
        ({"title": 5}, ["title"]),
        ({"title": ["Lemons"]}, ["title"]),
        ({"title": "a" * 121}, ["title"]),
        ({"title": "half a pair \ud83c"}, ["title"]),
        ({"quantity": None}, ["quantity"]),
        ({"quantity": "3"}, ["quantity"]),
        ({"quantity": True}, ["quantity"]),
        ({"quantity": 1.5}, ["quantity"]),
        ({"quantity": 0}, ["quantity"]),
        ({"quantity": 10**30}, ["quantity"]),
        ({"title": "", "quantity": -1}, ["title", "quantity"]),
    ],
)
def test_wrong_fields_are_named(member: Client, change: dict[str, object], fields: list[str]) -> None:
    error = error_in(post(member, json.dumps(ORDER | change)), 400)
    assert list(error["fields"]) == fields
    assert all(isinstance(message, str) for messages in error["fields"].values() for message in messages)
    assert not Order.objects.exists()


@pytest.mark.parametrize("body", [b"{", b"[]", b"null", b'"text"', b"\xff", b"1" * 5000, b"[" * 100_000])
def test_what_is_no_object_is_refused(member: Client, body: bytes) -> None:
    error_in(post(member, body), 400)


def test_too_long_a_body_is_refused(member: Client, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    error_in(post(member, ORDER | {"more": "a" * 1000}), 413)


def test_another_media_type_is_refused(member: Client) -> None:
    error_in(member.post(API, ORDER), 415)


@pytest.mark.parametrize("path", [API, f"{API}1/"])
def test_strangers_are_refused(client: Client, path: str) -> None:
    error_in(client.get(path), 401)
    error_in(Client(enforce_csrf_checks=True).post(path, ORDER), 401)


@pytest.mark.parametrize(("path", "method"), [(API, "delete"), (API, "put"), (f"{API}1/", "post")])
def test_other_methods_are_refused(member: Client, path: str, method: str) -> None:
    answer = getattr(member, method)(path)
    error_in(answer, 405)
    assert "GET" in answer.headers["Allow"]


@pytest.mark.parametrize("number", [1, 10**30])
def test_a_missing_order(member: Client, number: int) -> None:
    error_in(member.get(f"{API}{number}/"), 404)


def test_the_csrf_token_is_asked_for(user: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    error_in(post(client, ORDER), 403)
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
    error_in(member.get(f"{API}?{query}"), 400)


def test_a_page_takes_as_many_queries_for_many_orders(
    member: Client, make_order: MakeOrder, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    member.get(API)  # takes the session into the cache
    for count in 1, 15:
        while Order.objects.count() < count:
            make_order()
        with django_assert_num_queries(2):  # the visitor, the orders
            assert len(member.get(API).json()["orders"]) == count
