"""Who may ask: https://spec.openapis.org/oas/v3.1.1.html#security-requirement-object"""

from collections.abc import Iterator
from typing import Any

from django.conf import settings

from django_rivet.api import Operation

_CSRF = "csrf"
_SAFE = ("GET", "HEAD", "OPTIONS")


def requirements(operation: Operation) -> list[dict[str, list[str]]]:
    """What a request must have, any of them; {}: nothing."""
    found: list[dict[str, list[str]]] = [{name: [] for name in _names(operation, each)} for each in operation.auth]
    return found if any(found) else []


def schemes_of(operation: Operation) -> Iterator[tuple[str, dict[str, Any]]]:
    """The Security Scheme Objects that the requirements name."""
    for each in operation.auth:
        name, scheme = each.security
        if name:
            yield name, scheme
        if _is_checked(operation, each):
            yield _CSRF, {"type": "apiKey", "in": "header", "name": csrf_header()}


def refusals(operation: Operation) -> list[int]:
    """The statuses with which a request is refused before its handler."""
    checked = any(_is_checked(operation, each) for each in operation.auth)
    found = {
        401: operation.auth and {} not in requirements(operation),
        403: operation.permissions or checked,
        429: operation.throttle,
    }
    return [status for status, possible in found.items() if possible]


def _names(operation: Operation, authenticator: Any) -> list[str]:
    name, _ = authenticator.security
    return [*([name] if name else []), *([_CSRF] if _is_checked(operation, authenticator) else [])]


def _is_checked(operation: Operation, authenticator: Any) -> bool:
    """Must the request have a CSRF token, as cookies come by themselves?"""
    return operation.csrf and authenticator.by_cookie and operation.method not in _SAFE


def csrf_header() -> str:
    """As it is sent: Django's setting has it as WSGI does."""
    name: str = settings.CSRF_HEADER_NAME
    return name.removeprefix("HTTP_").replace("_", "-").title()
