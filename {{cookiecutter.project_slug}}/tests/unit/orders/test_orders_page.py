from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks

from orders.models import Order
from tests.unit.orders.making import MakeOrder, picture
from users.models import User

ORDER = {"title": "Lemons", "quantity": "3"}


@pytest.mark.parametrize("path", ["/orders/", "/orders/1/"])
def test_strangers_are_sent_to_the_login(client: Client, path: str) -> None:
    for answer in client.get(path), client.post(path, ORDER):
        assert answer.headers["Location"] == f"/accounts/login/?next={path}"


def test_an_order_with_a_photo(
    member: Client, user: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    photo = SimpleUploadedFile("me at home.png", picture("PNG"), "image/png")
    with django_capture_on_commit_callbacks(execute=True):
        answer = member.post("/orders/", ORDER | {"photo": photo})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/orders/")

    order = Order.objects.get()
    assert (order.user, order.title, order.quantity) == (user, "Lemons", 3)
    assert order.thumbnail
    assert "home" not in str(order.photo)
    assert order.status == Order.Status.CONFIRMED

    for path in "/orders/", order.get_absolute_url():
        assert "Lemons" in member.get(path).content.decode()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "a" * 121}, "title"),
        ({"title": "a\0b"}, "title"),
        ({"quantity": ""}, "quantity"),
        ({"quantity": "0"}, "quantity"),
        ({"quantity": "1001"}, "quantity"),
        ({"quantity": "two"}, "quantity"),
        ({"photo": SimpleUploadedFile("a.jpg", b"no photo", "image/jpeg")}, "photo"),
        ({"photo": SimpleUploadedFile("a.jpg", b"", "image/jpeg")}, "photo"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_saved(member: Client, change: dict[str, object], field: str) -> None:
    answer = member.post("/orders/", ORDER | change)
    assert answer.status_code == 200
    assert list(answer.context["form"].errors) == [field]
    assert f'id="id_{field}_error"' in answer.content.decode()
    assert not Order.objects.exists()


def test_titles_are_escaped(member: Client, make_order: MakeOrder) -> None:
    order = make_order("<script>alert(1)</script>")
    for path in "/orders/", order.get_absolute_url():
        assert "<script>alert" not in member.get(path).content.decode()


def test_the_list_takes_as_many_queries_for_many_orders(
    member: Client, make_order: MakeOrder, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    member.get("/orders/")  # takes session and numbers into the cache
    for count in 1, 25:
        while Order.objects.count() < count:
            make_order()
        with django_assert_num_queries(2):  # the visitor, the orders
            answer = member.get("/orders/")
        assert len(answer.context["orders"]) == min(count, 20)


def test_todays_numbers_are_counted_once_in_a_while(member: Client, make_order: MakeOrder) -> None:
    make_order(quantity=3)
    Order.objects.filter(pk=make_order(quantity=9).pk).update(created=timezone.now() - timedelta(days=2))
    numbers = member.get("/orders/").context["numbers"]
    assert (numbers["orders"], numbers["pieces"], numbers["confirmed"]) == (1, 3, 0)
    make_order()
    assert member.get("/orders/").context["numbers"] == numbers


def test_pages_are_not_kept(member: Client) -> None:
    """Photos have addresses that expire, and "back" after signing out must show nothing."""
    assert "no-store" in member.get("/orders/").headers["Cache-Control"]


def test_a_missing_order(member: Client) -> None:
    assert member.get("/orders/1/").status_code == 404
    assert member.get(f"/orders/{10**30}/").status_code == 404
