"""order -> outbox -> redis-queue -> worker -> order confirmed, exactly once."""

from typing import Any

import pytest
from websockets.exceptions import WebSocketException

import stack
from sockets import hear
from visitor import Visitor


def place(visitor: Visitor, title: str) -> dict[str, Any]:
    answer = visitor.post_json("/api/orders/", {"title": title, "quantity": 1})
    assert answer.status_code == 201, answer.text
    return answer.json()


def confirmed(visitor: Visitor, order: dict[str, Any]) -> bool:
    return visitor.get(f"/api/orders/{order['id']}/").json()["status"] == "confirmed"


def test_the_job_is_done(member: Visitor) -> None:
    order = place(member, "Done by the worker")
    stack.wait_until("the order is confirmed", lambda: confirmed(member, order))


def test_the_job_is_done_once(member: Visitor) -> None:
    """The last of several is heard after each other's confirmation, were it repeated."""
    with member.socket("/ws/orders/") as socket:
        hear(socket, "welcome")
        orders = [place(member, f"Once {number}")["id"] for number in range(5)]
        heard: list[int] = []
        while len(set(heard)) < len(orders):
            fits = lambda message: message["order"]["status"] == "confirmed" and message["order"]["id"] in orders  # noqa: E731
            heard.append(hear(socket, "order", fits)["order"]["id"])
    assert sorted(heard) == sorted(orders)


def feed_opens(visitor: Visitor) -> bool:
    """A page whose socket is dropped opens another."""
    try:
        with visitor.socket("/ws/orders/") as socket:
            return bool(hear(socket, "welcome"))
    except WebSocketException:
        return False


@pytest.mark.fault
def test_orders_wait_for_the_queue(member: Visitor) -> None:
    """Accepted while the queue is away, confirmed when it is back."""
    with stack.stopped("redis-queue"):
        orders = [place(member, f"While the queue is away {number}") for number in range(3)]
        assert not any(confirmed(member, order) for order in orders)
    for order in orders:
        stack.wait_until("the order is confirmed", lambda order=order: confirmed(member, order), 2 * stack.DEADLINE)
    stack.wait_until("the live feed is back", lambda: all(feed_opens(member) for _ in range(6)))
