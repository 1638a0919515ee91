from functools import partial

from django.db import transaction

from outbox import enqueue

from .feed import broadcast
from .jobs import confirm
from .models import Order


def place(order: Order) -> None:
    """Save a new order with the job that confirms it, or neither."""
    if order.photo:  # before the transaction, so that no database connection waits for the object store
        order.photo.save("photo.jpg", order.photo.file, save=False)
    with transaction.atomic():
        order.save()
        # Robust: when the feed is down that is logged, and the order stands.
        transaction.on_commit(partial(broadcast, order), robust=True)
        enqueue(confirm, order.pk)
