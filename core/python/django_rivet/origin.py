"""Which web pages may open WebSockets here.

A browser sends cookies with a WebSocket handshake to any site and no same-origin rule stops it, so the server has to
look at Origin: https://datatracker.ietf.org/doc/html/rfc6455#section-10.2
"""

from collections.abc import Callable, Coroutine, Sequence
from functools import wraps
from typing import Any, cast
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.http.request import split_domain_port, validate_host
from django.utils.http import is_same_domain

from django_rivet._core import WebSocket
from django_rivet.api import Handler

type Check = Callable[[WebSocket], bool]

# As HttpRequest.get_host has it while DEBUG is on and ALLOWED_HOSTS is empty.
DEBUG_HOSTS = [".localhost", "127.0.0.1", "[::1]"]


def origin_check(origins: str = "") -> Check:
    """Makes the function that says whether a handshake may go on; the answer to one that may not is 403.

    origins: the option `ws_origins`: what is allowed, parted by commas, written as in CSRF_TRUSTED_ORIGINS
    ("https://example.com", "https://*.example.com"), or "*" for no check. Empty: the Origin's host must match
    ALLOWED_HOSTS, or the Origin CSRF_TRUSTED_ORIGINS. "*" in ALLOWED_HOSTS says nothing about other sites: then the
    Origin must have the host and port of the Host field.

    A handshake without Origin comes from no browser and is allowed.
    """

    listed = origins.split(",") if origins else []

    def allowed(socket: WebSocket) -> bool:
        value = socket.header("origin")
        if value is None or "*" in listed:
            return True
        try:
            origin = urlsplit(value)
            _ = origin.port
        except ValueError:
            return False
        if not origin.scheme or not origin.netloc:
            return False
        if listed:
            return _listed(origin, listed)
        return _is_ours(origin, socket.header("host") or "") or _listed(origin, settings.CSRF_TRUSTED_ORIGINS)

    return allowed


def guard(handler: Handler, allowed: Check) -> Handler:
    """A native WebSocket handler behind the check. It costs an open connection nothing: its coroutine is the same."""

    @wraps(handler)
    def guarded(socket: WebSocket, **parameters: str) -> Coroutine[Any, Any, None]:
        if allowed(socket):
            return cast(Coroutine[Any, Any, None], handler(socket, **parameters))
        refuse(socket)
        return _nothing()

    return guarded


def refuse(socket: WebSocket) -> None:
    """Answers a handshake that the check did not allow."""
    socket.deny(403, [("Content-Type", "text/plain; charset=utf-8")], b"WebSockets from this Origin are not allowed.")


async def _nothing() -> None:
    """What is left to do for a native handler that was not called."""


def _is_ours(origin: SplitResult, host: str) -> bool:
    if origin.scheme not in ("http", "https"):
        return False
    hosts = settings.ALLOWED_HOSTS or (DEBUG_HOSTS if settings.DEBUG else [])
    if "*" in hosts:
        return origin.netloc.lower() == host.lower()
    domain, _ = split_domain_port(origin.netloc)
    return bool(domain) and validate_host(domain, hosts)


def _listed(origin: SplitResult, patterns: Sequence[str]) -> bool:
    # As CsrfViewMiddleware compares them: scheme, host and port exactly, or "*." for any subdomain.
    for pattern in patterns:
        scheme, _, netloc = pattern.partition("://")
        if scheme == origin.scheme and is_same_domain(origin.netloc.lower(), netloc.lower().removeprefix("*")):
            return True
    return False
