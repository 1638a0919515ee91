"""What is asked of each wire: a check returns what may be told about it, and raises when the wire does not work."""

import asyncio
import secrets

import redis
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings
from django.core.cache import cache as default_cache
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone

from .models import Heartbeat
from .probes import Told

MAX_AGE_SECONDS = 30  # of the worker's heartbeat, which comes every 5


class Failed(Exception):
    """The wire answers, but wrongly."""


def reads() -> Told:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return {}


def database() -> Told:
    Heartbeat.objects.update_or_create(name="web")
    return {"backend": settings.DATABASES["default"]["ENGINE"]}


def cache() -> Told:
    key = f"health-{secrets.token_hex(8)}"
    default_cache.set(key, key, timeout=10)
    if default_cache.get(key) != key:
        raise Failed
    return {"backend": settings.CACHES["default"]["BACKEND"]}


def broker() -> Told:
    if not settings.QUEUE_URL:
        return {"backend": "none: tasks are eager"}
    with redis.Redis.from_url(settings.QUEUE_URL, socket_connect_timeout=1, socket_timeout=1) as client:
        return {"backend": "redis", "observedValue": client.llen("celery"), "observedUnit": "messages"}


def channel_layer() -> Told:
    async_to_sync(_round_trip)()
    return {"backend": settings.CHANNEL_LAYERS["default"]["BACKEND"]}


async def _round_trip() -> None:
    layer = get_channel_layer()
    async with asyncio.timeout(2):
        channel = await layer.new_channel()
        await layer.send(channel, {"type": "health"})
        await layer.receive(channel)


def storage() -> Told:
    default_storage.probe()  # type: ignore[attr-defined]
    return {"backend": settings.STORAGES["default"]["BACKEND"]}


def worker() -> Told:
    if settings.CELERY_TASK_ALWAYS_EAGER:
        return {"backend": "none: tasks are eager"}
    age = timezone.now() - Heartbeat.objects.get(name="worker").at
    if age.total_seconds() > MAX_AGE_SECONDS:
        raise Failed
    return {"observedValue": round(age.total_seconds(), 1), "observedUnit": "s"}
