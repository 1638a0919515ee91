"""Django's request of a native handler: its user, its session, and the CSRF check of what asks for them."""

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.exceptions import SynchronousOnlyOperation
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from django_rivet._core import Request
from django_rivet.api.blocking import may_block
from django_rivet.api.errors import HTTPError
from django_rivet.api.middleware import csrf_middleware, session_middleware
from django_rivet.api.users import check_installed, load_user
from django_rivet.django.answer import head
from django_rivet.django.request import RivetRequest

type Fields = list[tuple[str, str]]

# What Django reads as a form.
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_AWAIT = "in an async def handler `await request.asession()` or `await request.auser()` first, or declare auth="


class NativeRequest(RivetRequest):
    """Django's request of a native handler: `request.django`.

    A request that may change something is checked by CsrfViewMiddleware when its user or session is first asked for.
    """

    # None: not looked at yet; "": right; else why not.
    _csrf: str | None = None
    _finished = False

    def __init__(self, core: Request) -> None:
        super().__init__(core)
        # The threads of `_unchecked`.
        self._looking: set[int] = set()
        # Another server's Django has been through its middleware: what that knows holds, and it saves the session.
        self._outer: HttpRequest | None = getattr(core, "outer", None)
        if self._outer is not None:
            self._dont_enforce_csrf_checks = getattr(self._outer, "_dont_enforce_csrf_checks", False)
        if not settings.CSRF_USE_SESSIONS:
            csrf_middleware().process_request(self)

    def _load_post_and_files(self) -> None:
        # Coroutines that ask together have a thread each: one reads, the others wait for what it finds.
        with self.__dict__.setdefault("_reading", threading.Lock()):
            if not hasattr(self, "_post"):
                super()._load_post_and_files()

    def take_form(self, other: HttpRequest) -> None:
        """Has the form as another has read it, if it has; as in Django, that of a POST alone."""
        if self.method == "POST" and hasattr(other, "_post"):
            self._post, self._files = other._post, other._files  # type: ignore[attr-defined]  # of all HttpRequests

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
        """For Django's code that looks at the session on our behalf, on this thread: others are checked meanwhile."""
        thread = threading.get_ident()
        if thread in self._looking:
            yield
            return
        self._looking.add(thread)
        try:
            yield
        finally:
            self._looking.discard(thread)

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

    async def asession(self) -> Any:
        """The session, where a coroutine may ask."""
        await self._acheck_csrf()
        return self.unchecked_session

    async def auser(self) -> Any:
        """The user, where a coroutine may ask."""
        await self._acheck_csrf()
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
        if threading.get_ident() in self._looking:
            return
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

    async def _acheck_csrf(self) -> None:
        if self.check_blocks:
            await sync_to_async(self.check_csrf)()
        else:
            self.check_csrf()

    @property
    def check_blocks(self) -> bool:
        """Whether `check_csrf` would read the session, or a form that nobody has read."""
        return self._csrf is None and (settings.CSRF_USE_SESSIONS or self._has_unread_form)

    @property
    def _has_unread_form(self) -> bool:
        """As CsrfViewMiddleware asks: it reads the form of a POST."""
        return self.method == "POST" and self.content_type in FORMS and not hasattr(self, "_post")

    def _look(self) -> str | None:
        if self._has_unread_form and not may_block():
            raise SynchronousOnlyOperation(f"The CSRF token may be in the form, which nobody has read: {_AWAIT}")
        try:
            return csrf_middleware().process_view(self, None, (), {})  # type: ignore[no-any-return]
        except SynchronousOnlyOperation:
            raise SynchronousOnlyOperation(
                f"CSRF_USE_SESSIONS has the token in the session, which the database has: {_AWAIT}"
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
        self._finished = True
        response = HttpResponse(status=status)
        with self._unchecked():
            response = csrf_middleware().process_response(self, response)
            if "_session" in self.__dict__ and not hasattr(self._outer, "session"):
                response = session_middleware().process_response(self, response)
        return [(name, value) for name, value in head(response) if name != "Content-Type"]
