"""Background jobs. Each runs in a transaction of its own, after the commit of the one that asked for it."""

from functools import partial

from django.db import transaction

from outbox import job

from .feed import broadcast
from .models import Order
from .photos import make_thumbnail


@job
def confirm(order_id: int) -> None:
    order = Order.objects.select_for_update().filter(pk=order_id, status=Order.Status.RECEIVED).first()
    if order is None:  # done before, or deleted
        return
    if order.photo:
        with order.photo.open() as photo:
            order.thumbnail.save("thumbnail.jpg", make_thumbnail(photo), save=False)
    order.status = Order.Status.CONFIRMED
    order.save(update_fields=["thumbnail", "status"])
    transaction.on_commit(partial(broadcast, order), robust=True)
