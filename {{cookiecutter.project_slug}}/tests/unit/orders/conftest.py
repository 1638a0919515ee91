from typing import Any

import pytest
from django.test import Client

from orders.models import Order
from tests.unit.orders.making import MakeOrder
from users.models import User


@pytest.fixture
def user(db: None) -> User:
    return User.objects.create_user("ada")


@pytest.fixture
def member(client: Client, user: User) -> Client:
    client.force_login(user)
    return client


@pytest.fixture
def make_order(db: None) -> MakeOrder:
    """Each order is somebody else's, so that a query for each user shows."""

    def make(title: str = "Lemons", **fields: Any) -> Order:
        user = User.objects.create_user(f"user-{User.objects.count()}")
        return Order.objects.create(user=user, title=title, **fields)

    return make
