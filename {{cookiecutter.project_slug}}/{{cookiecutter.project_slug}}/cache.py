"""A Redis cache whose absence costs speed and nothing else.

django-redis ignores a Redis that does not answer, but each request would wait for it again, and old entries would come
back with it: the session of somebody who logged out meanwhile, for one. So from the first failure on Redis is left
alone, a thread asks for it, and what was to be written or deleted meanwhile is deleted before anything is read again.
"""

import logging
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import redis
from redis.client import Pipeline

PAUSE = 0.25  # seconds between two attempts to reach Redis
SETTLE = 1.0  # seconds of answers before it is read again: until then other replicas have deleted what they must
MAX_KEYS = 100_000  # those to be deleted; beyond it the oldest are let go, whose entries have likely expired
CHUNK = 1000

Command = tuple[Any, ...]
FAILURES = (redis.ConnectionError, redis.TimeoutError, redis.OutOfMemoryError, redis.ReadOnlyError)

logger = logging.getLogger(__name__)


class Guard:
    """Watches the commands that go to one Redis."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client  # itself not watched
        self._lock = threading.Lock()
        self._stale: dict[str, None] = {}  # keys in the order of their first failure
        self._mender: threading.Thread | None = None

    @property
    def away(self) -> bool:
        mender = self._mender  # a forked child has no thread, though it sees its parent's
        return mender is not None and mender.is_alive()

    @contextmanager
    def watch(self, commands: Iterable[Command]) -> Iterator[None]:
        """Keep commands from a Redis that is away; raises redis.ConnectionError then, without any waiting."""
        if self.away:
            with self._lock:
                if self.away:
                    self._remember(commands)
                    raise redis.ConnectionError("Redis is away")
        try:
            yield
        except FAILURES as error:
            with self._lock:
                self._remember(commands)
                if not self.away:
                    logger.warning("cache away: %s", type(error).__name__)
                    self._mender = threading.Thread(target=self._mend, name="cache-mender", daemon=True)
                    self._mender.start()
            raise

    def _remember(self, commands: Iterable[Command]) -> None:
        for name, *arguments in commands:
            if name == "DEL" or (name == "SET" and "NX" not in arguments):
                self._stale.update(dict.fromkeys(arguments if name == "DEL" else arguments[:1]))
        while len(self._stale) > MAX_KEYS:
            del self._stale[next(iter(self._stale))]

    def _mend(self) -> None:
        since, answers = time.monotonic(), 0
        while True:
            time.sleep(PAUSE)
            try:
                self._client.ping()
                answers += 1
                # Again and again: a write that timed out may reach Redis later than its deletion.
                self._delete(list(self._stale))
                if answers * PAUSE >= SETTLE:
                    with self._lock:
                        self._delete(list(self._stale))
                        self._stale.clear()
                        self._mender = None
                    logger.warning("cache back after %.1f s", time.monotonic() - since)
                    return
            except redis.RedisError:
                answers = 0

    def _delete(self, keys: list[str]) -> None:
        for start in range(0, len(keys), CHUNK):
            self._client.delete(*keys[start : start + CHUNK])


class GuardedPool(redis.ConnectionPool):
    """The connections to one Redis, of which django-redis makes one pool a process."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.guard = Guard(redis.Redis(connection_pool=self))


class GuardedPipeline(Pipeline):
    connection_pool: GuardedPool

    def execute(self, raise_on_error: bool = True) -> list[Any]:
        with self.connection_pool.guard.watch([command for command, _ in self.command_stack]):
            return super().execute(raise_on_error)


class GuardedRedis(redis.Redis):
    """The client that django-redis uses."""

    connection_pool: GuardedPool

    def execute_command(self, *args: Any, **options: Any) -> Any:
        with self.connection_pool.guard.watch([args]):
            return super().execute_command(*args, **options)  # type: ignore[no-untyped-call]

    def pipeline(self, transaction: bool = True, shard_hint: Any = None) -> GuardedPipeline:
        return GuardedPipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)
