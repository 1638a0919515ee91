"""The example's JSON API, native handlers: each error in the same form, and the document that describes it."""

from typing import Any

import httpx
import pytest

from visitor import Visitor


def problem_in(answer: httpx.Response, status: int) -> dict[str, Any]:
    """https://www.rfc-editor.org/rfc/rfc9457"""
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["status"] == status
    assert problem["title"]
    return problem


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
    problem = problem_in(member.post_json("/api/orders/", order), 422)
    assert [error["pointer"] for error in problem["errors"]] == [f"#/{field}"]


@pytest.mark.parametrize(
    ("body", "status"), [(b"{", 400), (b"\xff", 400), (b"[]", 422), (b'"text"', 422), (b"null", 422)]
)
def test_what_is_no_object_is_refused(member: Visitor, body: bytes, status: int) -> None:
    headers = {"Content-Type": "application/json", "X-CSRFToken": member.csrf_token}
    problem_in(member.post("/api/orders/", content=body, headers=headers), status)


def test_strangers_are_refused(stranger: Visitor) -> None:
    problem_in(stranger.get("/api/orders/"), 401)


def test_missing_order(member: Visitor) -> None:
    problem_in(member.get("/api/orders/999999999/"), 404)


def test_wrong_method(member: Visitor) -> None:
    answer = member.delete("/api/orders/", headers={"X-CSRFToken": member.csrf_token})
    problem_in(answer, 405)
    assert "POST" in answer.headers["allow"]


def test_post_without_csrf_token_is_refused(member: Visitor) -> None:
    problem_in(member.post("/api/orders/", json={"title": "a", "quantity": 1}), 403)


def test_the_document_is_answered_once(member: Visitor) -> None:
    first = member.get("/api/docs/openapi.json")
    assert first.json()["openapi"].startswith("3.1.")
    again = member.get("/api/docs/openapi.json", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
