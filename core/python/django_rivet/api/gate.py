"""What stands before a handler: who it is, whether they come too often, whether they may."""

import functools
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any

from asgiref.sync import async_to_sync, sync_to_async

from django_rivet._core import Request, WebSocket
from django_rivet.api.auth import Authenticator, Sender, SessionAuth, is_known, is_socket
from django_rivet.api.errors import HTTPError
from django_rivet.api.options import Settings
from django_rivet.api.permissions import Permission
from django_rivet.api.route import Handler
from django_rivet.api.throttling import Throttle
from django_rivet.api.users import check_installed


@dataclass(frozen=True, slots=True)
class CsrfCheck:
    """Of one request that a cookie identifies, as a step."""

    blocks: bool
    is_async = False


type Step = Authenticator | CsrfCheck | Throttle | Permission
# Calls a step with its arguments, in whatever way it has to be called where the handler runs.
type Caller = Callable[..., Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Gate:
    """The steps before one handler. csrf: whether requests known by a cookie are checked."""

    auth: tuple[Authenticator, ...] = ()
    csrf: bool = True
    throttle: tuple[Throttle, ...] = ()
    permissions: tuple[Permission, ...] = ()

    @property
    def steps(self) -> tuple[Step, ...]:
        return (*self.auth, *self.throttle, *self.permissions)

    @property
    def is_async(self) -> bool:
        """Whether a step is a coroutine: then `def` handlers always run on a thread."""
        return any(each.is_async for each in self.steps)

    @property
    def blocks(self) -> bool:
        """Whether a step may block."""
        return any(each.blocks and not each.is_async for each in self.steps)

    async def enter(self, request: Any, call: Caller) -> None:
        """Raises HTTPError for a request that may not go on; else it has its user."""
        http = not is_socket(request)
        if http and not self.csrf:
            request._inside.exempt()
        user = None
        for each in self.auth:
            user = await call(each, each.authenticate, request)
            if user is False:  # what a comparison gives
                user = None
            if user is not None:
                break
        wrong = next((each for each in self.auth if each.shown(request)), None) if not is_known(user) else None
        if user is not None and wrong is None:
            if http and each.by_cookie and self.csrf:
                await call(CsrfCheck(request.django.check_blocks), request.django.check_csrf)
            elif http and is_known(user):
                request._inside.exempt()
            request.user = user
        for throttle in self.throttle:
            await call(throttle, throttle.check, request)
        if self.auth and (user is None or wrong is not None):
            raise self._unknown(wrong)
        for permission in self.permissions:
            if not await call(permission, permission.allows, request):
                raise self._unknown(None) if self.auth and not is_known(user) else permission.refusal()

    def _unknown(self, wrong: Authenticator | None) -> HTTPError:
        names = [each.challenge for each in self.auth if each.challenge]
        if wrong is not None and wrong.challenge == "Bearer":
            names[names.index("Bearer")] = 'Bearer error="invalid_token"'
        detail = "Say who you are." if wrong is None else "What you have shown to say who you are is not right."
        return HTTPError(401, detail, headers=[("WWW-Authenticate", name) for name in names])

    def __call__(self, request: Sender) -> None:
        """`enter` before a `def` handler, on its thread."""
        _run(self.enter(request, _here))

    def later(self) -> Callable[[Any], Awaitable[None]]:
        """`enter` before an `async def` handler, in the quickest way that its steps allow."""
        if self.blocks and not self.is_async:
            return sync_to_async(self)  # one way to a thread and back for all steps
        if self.is_async or (self.csrf and any(each.by_cookie for each in self.auth)):
            return functools.partial(self.enter, call=_stepwise)

        async def at_once(request: Sender) -> None:
            self(request)

        return at_once

    def before(self, handler: Handler, *, leading: bool, is_async: bool) -> Handler:
        """The handler behind this gate; takes the request first. leading: the handler takes it too."""
        if is_async:
            enter = self.later()

            async def entered_later(request: Request, /, **path: str) -> Any:
                await enter(request)
                return await (handler(request, **path) if leading else handler(**path))

            wrapped: Handler = functools.update_wrapper(entered_later, handler)
            wrapped.__suspends__ = True  # type: ignore[attr-defined]  # after the handler's own, which are taken over
            return wrapped

        def entered(request: Request, /, **path: str) -> Any:
            self(request)
            return handler(request, **path) if leading else handler(**path)

        return functools.update_wrapper(entered, handler)

    def before_socket(self, handler: Handler) -> Handler:
        """A WebSocket's handler behind this gate."""
        enter = self.later()

        async def entered(socket: WebSocket, /, **path: str) -> None:
            await enter(socket)
            await handler(socket, **path)

        return functools.update_wrapper(entered, handler)


def make(settings: Settings, *, exempts: bool) -> Gate | None:
    """The gate that these options ask for; None: none. Raises TypeError for what is none of them.

    exempts: there is one in any case, which takes the CSRF check off.
    """
    authenticators = _listed(settings.auth)
    if settings.auth is not None and not authenticators:
        raise TypeError(f"auth={settings.auth!r} lets everybody in: name an authenticator, or write auth=None")
    for each in authenticators:
        if not isinstance(each, Authenticator):
            raise TypeError(f"auth={each!r}: give an authenticator, such as SessionAuth() or BearerAuth(check)")
    if any(isinstance(each, SessionAuth) for each in authenticators):
        check_installed("SessionAuth")
    throttles = _listed(settings.throttle)
    for each in throttles:
        if not isinstance(each, Throttle):
            raise TypeError(f"throttle={each!r}: give a Throttle, such as Throttle('100/min')")
    wanted = tuple(Permission(each) for each in _listed(settings.permissions))
    if not authenticators and any(not each.by_request for each in wanted):
        raise TypeError("permissions need auth=, which says who it is: auth=SessionAuth()")
    if not (authenticators or throttles or wanted or exempts):
        return None
    return Gate(authenticators, settings.csrf, throttles, wanted)


def _listed(value: Any) -> tuple[Any, ...]:
    if value is None:
        return ()
    return tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else (value,)


def _run[Result](steps: Coroutine[Any, Any, Result]) -> Result:
    """The result of a coroutine that waits for nothing."""
    try:
        steps.send(None)
    except StopIteration as ended:
        result: Result = ended.value
        return result
    raise RuntimeError("a step has waited where none may")


async def _here(step: Step, function: Callable[..., Any], *arguments: Any) -> Any:
    result = function(*arguments)
    return async_to_sync(_awaited)(result) if isawaitable(result) else result


async def _stepwise(step: Step, function: Callable[..., Any], *arguments: Any) -> Any:
    blocks = step.blocks and not step.is_async
    result = await sync_to_async(function)(*arguments) if blocks else function(*arguments)
    return await result if isawaitable(result) else result


async def _awaited(awaitable: Awaitable[Any]) -> Any:
    return await awaitable
