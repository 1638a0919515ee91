"""RemoteUserMiddleware before Django 6.1: its sync half knows WSGI's variable only, which no header of a proxy can set.

https://docs.djangoproject.com/en/6.1/howto/auth-remote-user/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.apps import apps
from django.conf import settings
from django.utils.module_loading import import_string

if TYPE_CHECKING:
    from .request import RivetRequest


def wants_remote_user() -> bool:
    """Whether a middleware of the project looks for `META["REMOTE_USER"]`, and does not know that ours is ASGI's."""
    if not apps.is_installed("django.contrib.auth"):
        return False
    from django.contrib.auth.middleware import RemoteUserMiddleware as Stock

    if hasattr(Stock, "get_username"):
        return False
    kinds = [import_string(path) for path in settings.MIDDLEWARE]
    return any(isinstance(kind, type) and issubclass(kind, Stock) and kind.header == Stock.header for kind in kinds)


def set_remote_user(request: RivetRequest) -> None:
    """Takes the name from the header Remote-User, as Django does for each ASGIRequest."""
    if "HTTP_REMOTE_USER" in request.META:
        request.META["REMOTE_USER"] = request.META["HTTP_REMOTE_USER"]
