"""The same beside 200 people who watch the live feed."""

from orders_crowd import Crowd
from test_load import assert_carried
from visitor import Visitor

WATCHING = 200


def test_api_beside_open_sockets(member: Visitor) -> None:
    for number in range(20):
        assert member.post_json("/api/orders/", {"title": f"Load {number}", "quantity": 1}).status_code == 201
    with Crowd(member, WATCHING) as crowd:
        assert len(crowd.replicas) == 3, "the sockets are spread over the replicas"
        assert_carried("/api/orders/", member.cookie)
        assert crowd.answering().total() == WATCHING
