"""Who sends a request: `auth=SessionAuth()`, `auth=[SessionAuth(), BearerAuth(check)]`."""

import re
from collections.abc import Awaitable, Callable
from inspect import iscoroutinefunction
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from django_rivet._core import Request, WebSocket
from django_rivet.api.errors import HTTPError
from django_rivet.api.fields import cookies
from django_rivet.api.markers import Depends
from django_rivet.api.middleware import session_middleware
from django_rivet.api.users import check_installed, load_user

type Sender = Request | WebSocket
type Security = tuple[str, dict[str, Any]]
type Check[Principal] = Callable[[str], Principal | None] | Callable[[str], Awaitable[Principal | None]]

# RFC 6750 2.1, with the scheme in any case (RFC 9110 11.1).
_BEARER = re.compile(r"bearer +([A-Za-z0-9\-._~+/]+=*)", re.IGNORECASE)


class Authenticator:
    """A way to tell who sends a request; the base of those here and of a project's own.

    security: its name and its Security Scheme Object of OpenAPI. challenge: its part of WWW-Authenticate, "" where the
    scheme has none. by_cookie: browsers send it by themselves, so CSRF is checked. blocks: `authenticate`, where it is
    a `def`, may block: in front of an `async def` handler it runs on a thread.
    """

    security: Security = ("", {})
    challenge = ""
    by_cookie = False
    blocks = True

    def authenticate(self, request: Any) -> Any:
        """The user, or whatever the project knows senders by; None: not known. `def` or `async def`.

        request: the `Request`, or the `WebSocket` whose handshake it is; both have `header(name)`.
        """
        raise NotImplementedError

    def shown(self, request: Sender) -> bool:
        """Whether the request has something that is meant for this, right or wrong: then it is no stranger's."""
        return False

    @property
    def is_async(self) -> bool:
        """Whether `authenticate` gives an awaitable."""
        return iscoroutinefunction(self.authenticate)


class SessionAuth(Authenticator):
    """The user of Django's session. Requests that may change something must pass Django's CSRF check."""

    by_cookie = True

    @property
    def security(self) -> Security:  # type: ignore[override]  # settings are not there yet when an api.py is imported
        return "session", {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}

    def authenticate(self, request: Any) -> Any:
        if is_socket(request):
            user = _handshake_user(request)
        elif settings.SESSION_COOKIE_NAME in request.django.COOKIES:
            user = request.django.load_user()
        else:
            return None
        return user if user.is_authenticated else None


def _handshake_user(socket: WebSocket) -> Any:
    request = HttpRequest()
    request.COOKIES = cookies(socket)
    session_middleware().process_request(request)
    # Of a secret key that is going out: the new cookie could not be sent, and the old session must last until it is.
    request.session.cycle_key = lambda: None  # type: ignore[method-assign]
    return load_user(request)


class _Credential(Authenticator):
    """Something in a header field that `check` knows."""

    def __init__(self, check: Check[Any]) -> None:
        if not callable(check):
            raise TypeError(f"{type(self).__name__}({check!r}): give a function that takes the credential")
        self.check = check

    def credential(self, request: Sender) -> str | None:
        """What is to be checked; None: nothing."""
        raise NotImplementedError

    def authenticate(self, request: Sender) -> Any:
        credential = self.credential(request)
        if credential is None:
            return _none() if self.is_async else None
        return self.check(credential)

    @property
    def is_async(self) -> bool:
        return iscoroutinefunction(self.check) or iscoroutinefunction(getattr(self.check, "__call__", None))  # noqa: B004


async def _none() -> None:
    """Nobody, for who awaits."""


class BearerAuth(_Credential):
    """A token in `Authorization: Bearer ...` (RFC 6750).

        async def check(token: str) -> User | None: ...

        api = API(auth=BearerAuth(check))

    check: `def` or `async def`; takes the token, returns the user, or None for a token that is not right. Compare
    secrets with `django.utils.crypto.constant_time_compare`, or look up their hash. format: a hint for who describes
    the API, such as "JWT".
    """

    challenge = "Bearer"

    def __init__(self, check: Check[Any], *, format: str = "") -> None:
        super().__init__(check)
        scheme = {"type": "http", "scheme": "bearer"} | ({"bearerFormat": format} if format else {})
        self.security = ("bearer", scheme)

    def credential(self, request: Sender) -> str | None:
        found = _BEARER.fullmatch(request.header("authorization") or "")
        return found[1] if found else None

    def shown(self, request: Sender) -> bool:
        return (request.header("authorization") or "").lower().startswith("bearer")


class APIKeyAuth(_Credential):
    """A key in a header field: `APIKeyAuth(check)`, `APIKeyAuth(check, header="X-Partner-Key")`.

    check: as for `BearerAuth`.
    """

    def __init__(self, check: Check[Any], header: str = "X-API-Key") -> None:
        super().__init__(check)
        self.header = header
        self.security = (header, {"type": "apiKey", "in": "header", "name": header})

    def credential(self, request: Sender) -> str | None:
        return request.header(self.header) or None

    def shown(self, request: Sender) -> bool:
        return self.credential(request) is not None


class Anonymous(Authenticator):
    """The last of several: lets in who shows nothing, `auth=[SessionAuth(), Anonymous()]`. A wrong token is still 401.

    Such a request's user is Django's AnonymousUser.
    """

    blocks = False

    def authenticate(self, request: Sender) -> Any:
        check_installed("Anonymous")
        from django.contrib.auth.models import AnonymousUser

        return AnonymousUser()


def is_socket(sender: Sender) -> bool:
    """Whether it is a WebSocket, of whichever server."""
    return not hasattr(type(sender), "django")


def is_known(user: Any) -> bool:
    """Whether it is somebody: a principal of the project's own need not know `is_authenticated`."""
    return user is not None and getattr(user, "is_authenticated", True)


def current_user(request: Sender) -> Any:
    """A provider: the user, or 401. A WebSocket's is whom its route's `auth` has found."""
    user = request.user
    if not is_known(user):
        raise HTTPError(401, "Say who you are.")
    return user


CurrentUser = Depends(current_user)
