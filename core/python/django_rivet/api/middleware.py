"""Django's session and CSRF middleware, whose methods are called one by one; nothing of them is written anew."""

import functools
import logging
from typing import Any

from django.conf import settings
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.module_loading import import_string

_csrf_logger = logging.getLogger("django.security.csrf")


class _Reason:
    """Has CsrfViewMiddleware say why, where it would answer with a page."""

    def _reject(self, request: HttpRequest, reason: str) -> str:
        _csrf_logger.warning("Forbidden (%s): %s", reason, request.path, extra={"status_code": 403})
        return reason


def _chosen[Middleware: type](base: Middleware) -> Middleware:
    """The project's own kind of a middleware, if it has one."""
    for path in settings.MIDDLEWARE:
        found = import_string(path)
        if isinstance(found, type) and issubclass(found, base):
            return found  # type: ignore[return-value]
    return base


def _nobody(request: HttpRequest) -> HttpResponse:
    """Stands behind middleware whose methods are called one by one."""
    raise NotImplementedError


@functools.cache
def session_middleware() -> SessionMiddleware:
    return _chosen(SessionMiddleware)(_nobody)


@functools.cache
def csrf_middleware() -> Any:
    return type("Csrf", (_Reason, _chosen(CsrfViewMiddleware)), {})(_nobody)


@receiver(setting_changed)
def _forget(**_: Any) -> None:
    # Both keep what the settings said when they were made.
    session_middleware.cache_clear()
    csrf_middleware.cache_clear()
