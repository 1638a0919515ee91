import pytest
from django.core.files.base import ContentFile
from PIL import Image

from orders.jobs import confirm
from orders.models import Order
from orders.photos import THUMBNAIL_SIDE
from tests.unit.orders.making import MakeOrder, picture


def test_the_order_is_confirmed_with_a_thumbnail(make_order: MakeOrder) -> None:
    order = make_order(photo=ContentFile(picture(size=(800, 400)), name="a.jpg"))
    confirm(order.pk)
    order.refresh_from_db()
    assert order.status == Order.Status.CONFIRMED
    assert Image.open(order.thumbnail).size == (THUMBNAIL_SIDE, THUMBNAIL_SIDE // 2)


def test_a_second_run_changes_nothing(make_order: MakeOrder) -> None:
    order = make_order(photo=ContentFile(picture(), name="a.jpg"))
    confirm(order.pk)
    order.refresh_from_db()
    confirm(order.pk)
    assert Order.objects.get().thumbnail.name == order.thumbnail.name


def test_an_order_without_a_photo(make_order: MakeOrder) -> None:
    confirm(make_order().pk)
    assert Order.objects.get().status == Order.Status.CONFIRMED


@pytest.mark.django_db
def test_an_order_that_was_deleted() -> None:
    confirm(1)


def test_the_job_fails_while_the_photo_is_out_of_reach(make_order: MakeOrder) -> None:
    """So that it is tried again."""
    order = make_order(photo="orders/lost.jpg")
    with pytest.raises(OSError, match="lost"):
        confirm(order.pk)
    order.refresh_from_db()
    assert order.status == Order.Status.RECEIVED
