"""How often a sender may come: `throttle=Throttle("100/min")`, counted in Django's cache."""

import hashlib
import logging
import math
import re
import time
from collections.abc import Callable
from inspect import iscoroutinefunction
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from django.core.cache import caches

from django_rivet.api.auth import is_known, is_socket
from django_rivet.api.errors import HTTPError

logger = logging.getLogger("django_rivet")

_RATE = re.compile(r"(\d+)\s*/\s*(\d*)\s*(s|sec|second|m|min|minute|h|hour|d|day)s?", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Throttle:
    """So many requests of one sender in a window of time; those above are answered with 429.

    Each answer says what is left, in RateLimit and RateLimit-Policy.

        api = API(throttle=Throttle("100/min"))
        @api.post("/login", throttle=[Throttle("5/min"), Throttle("50/day")])

    rate: "count/unit" or "count/n unit", with s, min, hour or day. key: takes the request, returns whom to count, a
    str, or None for whom not to; by default a known user by its `pk`, anybody else by the client's address
    (an IPv6 network of 64 bits counts as one). name: throttles of one name count together; by default those of one
    declaration do. cache: Django's, which all processes must share for one count (Redis; not LocMemCache).

    The windows are fixed: around the end of one, twice the count may pass. A cache that fails lets everybody in, and
    says so in the log. Raises ValueError for another rate, TypeError for a key that is an `async def`.
    """

    is_async = False
    blocks = True

    def __init__(
        self, rate: str, key: Callable[[Any], str | None] | None = None, *, name: str = "", cache: str = "default"
    ) -> None:
        found = _RATE.fullmatch(rate.strip().lower())
        if not found or not int(found[1]) or found[2] == "0":
            raise ValueError(f"Throttle({rate!r}): write a rate as '100/min', '5/s', '1000/day' or '20/15min'")
        self.rate = rate.strip()
        self.count = int(found[1])
        self.window = int(found[2] or 1) * _SECONDS[found[3][0]]  # seconds
        if iscoroutinefunction(key):
            raise TypeError(f"Throttle({rate!r}, key={key!r}): the key is a def, which may block, not an async def")
        self.key = key or sender
        self.name = name
        self.cache = cache

    def named(self, place: str) -> "Throttle":
        """The same for the route or router that has it, where it has no name of its own."""
        if self.name:
            return self
        return Throttle(self.rate, self.key, name=place, cache=self.cache)

    def check(self, request: Any) -> None:
        """Counts the request. Raises HTTPError (429) for one too many."""
        whom = self.key(request)
        if whom is None:
            return
        window, since = divmod(time.time(), self.window)
        count = self._count(whom, int(window))
        left = math.ceil(self.window - since)
        if count and not is_socket(request):
            request._inside.added += self._fields(max(0, self.count - count), left)
        if count > self.count:
            detail = f"More than {self.rate}: try again in {left} s."
            raise HTTPError(429, detail, headers={"Retry-After": str(left)})

    def _count(self, whom: str, window: int) -> int:
        # Hashed: it may be long or hold anything, and caches take neither.
        digest = hashlib.sha256(f"{self.name}\0{self.rate}\0{whom}".encode()).hexdigest()
        name = f"rivet:throttle:{digest}:{window}"
        try:
            cache = caches[self.cache]
            if cache.add(name, 1, self.window + 1):
                return 1
            return cache.incr(name)
        except ValueError:  # it has just ended
            return 1
        except Exception as error:  # each cache has its own
            logger.warning("a throttle lets everybody in, as the cache %r failed: %s", self.cache, error)
            return 0

    def _fields(self, remaining: int, left: int) -> list[tuple[str, str]]:
        """https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/ (10); the rate names the policy."""
        return [
            ("RateLimit-Policy", f'"{self.rate}";q={self.count};w={self.window}'),
            ("RateLimit", f'"{self.rate}";r={remaining};t={left}'),
        ]


def sender(request: Any) -> str:
    """Whom a throttle counts by default."""
    user = request.user if _has_user(request) else None
    if user is not None and is_known(user):
        known = getattr(user, "pk", user)
        if isinstance(known, str | int) or hasattr(user, "pk"):
            # Other principals have numbers of their own.
            kind = user.__class__
            return f"user {kind.__module__}.{kind.__qualname__} {known}"
    return f"address {_network(request.client[0] if request.client else '')}"


def _has_user(request: Any) -> bool:
    """Whether the route's `auth` has found one: a throttle does not load a session of its own accord."""
    return is_socket(request) or request._inside.known


def _network(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:  # a Unix socket without a trusted proxy: nobody to tell apart
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    # A server that listens on :: tells IPv4 clients so, and one network would be all of them.
    return str(parsed.ipv4_mapped or ip_network((parsed, 64), strict=False))
