"""Django's own side of a native request: the user, the session, CSRF. Made only for requests that ask for it.

What decides here is Django's own middleware, called as Django calls it; nothing of it is written anew.
"""

import asyncio
import contextlib
import functools
import logging
from collections.abc import Iterator
from typing import Any

from asgiref.sync import sync_to_async
from django.apps import apps
from django.conf import settings
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.exceptions import ImproperlyConfigured, SynchronousOnlyOperation
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware, get_token
from django.utils.functional import SimpleLazyObject
from django.utils.module_loading import import_string

from django_rivet._core import Request
from django_rivet.api.errors import HTTPError
from django_rivet.django.answer import head
from django_rivet.django.request import RivetRequest

type Fields = list[tuple[str, str]]

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


def may_block() -> bool:
    """Whether no loop runs here."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return True
    return False


def check_installed(what: str) -> None:
    """Raises ImproperlyConfigured where there are no users."""
    if not apps.is_installed("django.contrib.auth"):
        raise ImproperlyConfigured(f"{what} needs 'django.contrib.auth' in INSTALLED_APPS")


def load_user(request: HttpRequest) -> Any:
    """The session's user, or AnonymousUser; blocks."""
    from django.contrib.auth.middleware import get_user

    return get_user(request)


class NativeRequest(RivetRequest):
    """Django's request of a native handler: `request.django`.

    A request that may change something is checked by CsrfViewMiddleware when its user or session is first asked for.
    """

    # None: not looked at yet; "": right; else why not.
    _csrf: str | None = None
    _finished = False

    def __init__(self, core: Request) -> None:
        super().__init__(core)
        # Another server's Django has been through its middleware: what that knows holds, and it saves the session.
        self._outer: HttpRequest | None = getattr(core, "outer", None)
        if self._outer is not None:
            self._dont_enforce_csrf_checks = getattr(self._outer, "_dont_enforce_csrf_checks", False)
        if not settings.CSRF_USE_SESSIONS:
            csrf_middleware().process_request(self)

    @property
    def touched(self) -> bool:
        """Whether the answer is to be seen by Django's middleware."""
        return "_session" in self.__dict__ or "CSRF_COOKIE_NEEDS_UPDATE" in self.META

    @property
    def session(self) -> Any:
        self.check_csrf()
        return self.unchecked_session

    @session.setter
    def session(self, session: Any) -> None:
        self._session = session

    @property
    def unchecked_session(self) -> Any:
        """For who checks CSRF himself."""
        if "_session" not in self.__dict__:
            if hasattr(self._outer, "session"):
                self._session = self._outer.session  # type: ignore[union-attr]
            else:
                session_middleware().process_request(self)
            if settings.CSRF_USE_SESSIONS and may_block():
                with self._unchecked():
                    csrf_middleware().process_request(self)
        return self._session

    @contextlib.contextmanager
    def _unchecked(self) -> Iterator[None]:
        """For Django's code that looks at the session on our behalf."""
        checked, self._csrf = self._csrf, ""
        try:
            yield
        finally:
            self._csrf = checked

    @property
    def user(self) -> Any:
        if "_user" not in self.__dict__:
            self.check_csrf()
            self._user = SimpleLazyObject(self._load_here)
        return self._user

    @user.setter
    def user(self, user: Any) -> None:
        self._user = user
        self._cached_user = self._acached_user = user

    async def auser(self) -> Any:
        """The user, where a coroutine may ask."""
        if self._csrf is None and settings.CSRF_USE_SESSIONS:
            await sync_to_async(self.check_csrf)()
        user = self.user
        return await sync_to_async(self.load_user)() if isinstance(user, SimpleLazyObject) else user

    def load_user(self) -> Any:
        """The user; blocks. Without a look at CSRF."""
        if "_cached_user" not in self.__dict__:
            check_installed("request.user")
            _ = self.unchecked_session
            with self._unchecked():
                self.user = load_user(self._outer if hasattr(self._outer, "session") else self)  # type: ignore[arg-type]
        return self._cached_user

    def _load_here(self) -> Any:
        try:
            return self.load_user()
        except SynchronousOnlyOperation:
            raise SynchronousOnlyOperation(
                "request.user reads the database: in an async def handler `await request.auser()`, or declare auth="
            ) from None

    def check_csrf(self) -> None:
        """Raises HTTPError (403) for a request that a page of another site may have sent."""
        if self._csrf is None:
            why = None
            if self.method not in ("GET", "HEAD", "OPTIONS", "TRACE"):
                with self._unchecked():  # what looks at the session meanwhile is the check itself
                    why = self._look()
            self._csrf = why or ""
        if self._csrf:
            field = settings.CSRF_HEADER_NAME.removeprefix("HTTP_").replace("_", "-").title()
            raise HTTPError(
                403,
                f"{self._csrf.rstrip('.')}. Send the CSRF token in the field {field}, "
                "or as csrfmiddlewaretoken in a form.",
            )

    def _look(self) -> str | None:
        try:
            return csrf_middleware().process_view(self, None, (), {})  # type: ignore[no-any-return]
        except SynchronousOnlyOperation:
            raise SynchronousOnlyOperation(
                "CSRF_USE_SESSIONS has the token in the session, which the database has: in an async def handler"
                " `await request.auser()` first, or declare auth="
            ) from None

    def exempt(self) -> None:
        """Takes the check off."""
        self._csrf = ""

    @property
    def blocks(self) -> bool:
        """Whether `fields` would save the session."""
        session = self.__dict__.get("_session")
        if self._finished or hasattr(self._outer, "session"):
            return False
        if settings.CSRF_USE_SESSIONS:  # a new token may have to go into it
            return True
        return session is not None and bool(session.modified or settings.SESSION_SAVE_EVERY_REQUEST)

    def fields(self, status: int) -> Fields:
        """What Django's middleware adds to an answer with this status: cookies, Vary. Saves the session; once."""
        if self._finished:
            return []
        self._finished, self._csrf = True, ""
        response = HttpResponse(status=status)
        response = csrf_middleware().process_response(self, response)
        if "_session" in self.__dict__ and not hasattr(self._outer, "session"):
            response = session_middleware().process_response(self, response)
        return [(name, value) for name, value in head(response) if name != "Content-Type"]


class Inside:
    """What Django knows of one request; `Request` and the escape hatch's have one when somebody asks.

    core: another object for the same request, so that nothing holds itself. added: fields that its answer is to have.
    """

    __slots__ = ("_core", "_django", "_exempt", "_user", "added")

    def __init__(self, core: Request) -> None:
        self._core = core
        self._django: NativeRequest | None = None
        self._exempt = False
        self._user: Any = None
        self.added: Fields = []

    @property
    def touched(self) -> bool:
        """Whether there is something to add to the answer."""
        return bool(self.added) or self._used is not None

    @property
    def _used(self) -> NativeRequest | None:
        """Django's request, if its middleware has to see the answer."""
        return self._django if self._django is not None and self._django.touched else None

    @property
    def blocks(self) -> bool:
        """Whether `fields` would."""
        used = self._used
        return used is not None and used.blocks

    def fields(self, status: int) -> Fields:
        """What is to be added to an answer with this status; see `NativeRequest.fields`."""
        used = self._used
        return [*self.added, *(used.fields(status) if used is not None else ())]

    @property
    def known(self) -> bool:
        """Whether there is a user without a look at the session."""
        return self._user is not None

    @property
    def django(self) -> NativeRequest:
        if self._django is None:
            try:
                self._django = NativeRequest(self._core)
            except UnicodeDecodeError:
                raise HTTPError(400, "The query is no UTF-8.") from None
            if self._exempt:
                self._django.exempt()
            if self._user is not None:
                self._django.user = self._user
        return self._django

    @property
    def session(self) -> Any:
        return self.django.session

    @property
    def user(self) -> Any:
        if self._django is None and self._user is not None:
            return self._user
        return self.django.user

    @user.setter
    def user(self, user: Any) -> None:
        self._user = user
        if self._django is not None:
            self._django.user = user

    async def auser(self) -> Any:
        if self._django is None and self._user is not None:
            return self._user
        return await self.django.auser()

    def exempt(self) -> None:
        """The request has proved who sends it by more than a cookie, or its route takes all."""
        self._exempt = True
        if self._django is not None:
            self._django.exempt()


def csrf_token(request: Request) -> str:
    """The token for a page's next requests; its cookie is set with the answer.

    With CSRF_USE_SESSIONS it reads the session, and so it is for `def` handlers.
    """
    django = request.django
    if settings.CSRF_USE_SESSIONS:
        _ = django.unchecked_session
    return get_token(django)
