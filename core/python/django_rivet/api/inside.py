"""Django's own side of a native request, made only for requests that ask for it: the user, the session, CSRF."""

from typing import Any

from django.conf import settings
from django.middleware.csrf import get_token

from django_rivet._core import Request
from django_rivet.api.django_request import Fields, NativeRequest
from django_rivet.api.errors import HTTPError
from django_rivet.django.request import RivetRequest


class Inside:
    """What Django knows of one request; `Request` and the escape hatch's have one when somebody asks.

    core: another object for the same request, so that nothing holds itself. added: fields that its answer is to have.
    """

    __slots__ = ("_core", "_django", "_exempt", "_form", "_user", "added")

    def __init__(self, core: Request) -> None:
        self._core = core
        self._django: NativeRequest | None = None
        self._form: RivetRequest | None = None
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
            self._django = self._made(NativeRequest)
            if self._form is not None:
                self._django.take_form(self._form)
            if self._exempt:
                self._django.exempt()
            if self._user is not None:
                self._django.user = self._user
        return self._django

    @property
    def form(self) -> RivetRequest:
        """Who reads the form, once for the handler and for CSRF: Django's request, where it is there already."""
        if self._django is not None and self._django.method == "POST":
            return self._django
        if self._form is None:
            self._form = self._made(RivetRequest)
            self._form.method = "POST"  # Django reads the forms of no other
        return self._form

    def _made[Made: RivetRequest](self, kind: type[Made]) -> Made:
        try:
            return kind(self._core)
        except UnicodeDecodeError:
            raise HTTPError(400, "The query is no UTF-8.") from None

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

    async def asession(self) -> Any:
        return await self.django.asession()

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
