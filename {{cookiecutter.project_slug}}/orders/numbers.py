from typing import Any

from django.core.cache import cache
from django.db.models import Count, Q, Sum
from django.utils import timezone

from .models import Order

SECONDS = 10


def todays_numbers() -> dict[str, Any]:
    """Everybody sees the same, so they are counted once in a while and kept in the cache."""
    numbers: dict[str, Any] | None = cache.get("orders:today")
    if numbers is None:
        numbers = _count()
        cache.set("orders:today", numbers, SECONDS)
    return numbers


def _count() -> dict[str, Any]:
    now = timezone.localtime()
    today = Order.objects.filter(created__gte=now.replace(hour=0, minute=0, second=0, microsecond=0))
    confirmed = Count("id", filter=Q(status=Order.Status.CONFIRMED))
    numbers = today.aggregate(orders=Count("id"), pieces=Sum("quantity", default=0), confirmed=confirmed)
    return numbers | {"at": f"{now:%H:%M:%S}", "seconds": SECONDS}  # text: the cache keeps JSON
