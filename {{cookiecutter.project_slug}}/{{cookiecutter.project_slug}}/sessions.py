"""Sessions in the database, with a short-lived copy in the cache.

A copy can outlive its session only where its deletion did not reach the cache (see cache.py) and the process that still
owed it was killed. A minute bounds that, for one query per session and minute.
"""

from typing import Any

from django.contrib.sessions.backends.cached_db import SessionStore as CachedSessionStore
from django.core.cache.backends.base import BaseCache

MAX_AGE = 60  # seconds


class ShortLived:
    """A cache that keeps nothing for longer than MAX_AGE."""

    def __init__(self, cache: BaseCache) -> None:
        self._cache = cache

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cache, name)

    def __contains__(self, key: str) -> bool:
        return key in self._cache

    def set(self, key: str, value: Any, age: float) -> None:
        self._cache.set(key, value, min(age, MAX_AGE))

    async def aset(self, key: str, value: Any, age: float) -> None:
        await self._cache.aset(key, value, min(age, MAX_AGE))


class SessionStore(CachedSessionStore):
    _cache: Any

    def __init__(self, session_key: str | None = None) -> None:
        super().__init__(session_key)
        self._cache = ShortLived(self._cache)
