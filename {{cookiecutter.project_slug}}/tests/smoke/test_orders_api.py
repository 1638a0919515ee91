"""The example's JSON API: one query, and each error in the same form."""

from typing import Any

import httpx
import pytest

from visitor import Visitor


def error_in(answer: httpx.Response) -> dict[str, Any]:
    assert answer.headers["content-type"].startswith("application/json")
    error = answer.json()["error"]
    assert error["code"]
    assert error["message"]
    return error


def test_create_and_read(member: Visitor) -> None:
    created = member.post_json("/api/orders/", {"title": "Screws, 4 × 10 mm", "quantity": 100})
    assert created.status_code == 201
    order = created.json()
    assert (order["title"], order["quantity"], order["status"]) == ("Screws, 4 × 10 mm", 100, "received")
    read = member.get(f"/api/orders/{order['id']}/")
    assert read.status_code == 200
    assert read.json()["title"] == order["title"]
    assert order["id"] in [listed["id"] for listed in member.get("/api/orders/").json()["orders"]]


@pytest.mark.parametrize(
    ("order", "field"),
    [
        ({"quantity": 1}, "title"),
        ({"title": "", "quantity": 1}, "title"),
        ({"title": "a" * 1000, "quantity": 1}, "title"),
        ({"title": "a", "quantity": 0}, "quantity"),
        ({"title": "a", "quantity": "many"}, "quantity"),
    ],
)
def test_wrong_fields_are_named(member: Visitor, order: dict[str, object], field: str) -> None:
    answer = member.post_json("/api/orders/", order)
    assert answer.status_code == 400
    assert field in error_in(answer)["fields"]


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b'"text"', b"null"])
def test_what_is_no_object_is_refused(member: Visitor, body: bytes) -> None:
    headers = {"Content-Type": "application/json", "X-CSRFToken": member.csrf_token}
    answer = member.post("/api/orders/", content=body, headers=headers)
    assert answer.status_code == 400
    error_in(answer)


def test_strangers_are_refused(stranger: Visitor) -> None:
    answer = stranger.get("/api/orders/")
    assert answer.status_code == 401
    error_in(answer)


def test_missing_order(member: Visitor) -> None:
    answer = member.get("/api/orders/999999999/")
    assert answer.status_code == 404
    error_in(answer)


def test_wrong_method(member: Visitor) -> None:
    answer = member.delete("/api/orders/", headers={"X-CSRFToken": member.csrf_token})
    assert answer.status_code == 405
    error_in(answer)


def test_post_without_csrf_token_is_refused(member: Visitor) -> None:
    assert member.post("/api/orders/", json={"title": "a", "quantity": 1}).status_code == 403
