"""Django's users."""

from typing import Any

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest


def check_installed(what: str) -> None:
    """Raises ImproperlyConfigured where there are no users."""
    if not apps.is_installed("django.contrib.auth"):
        raise ImproperlyConfigured(f"{what} needs 'django.contrib.auth' in INSTALLED_APPS")


def load_user(request: HttpRequest) -> Any:
    """The session's user, or AnonymousUser; blocks."""
    from django.contrib.auth.middleware import get_user

    return get_user(request)
