"""What a sender may: `permissions=IsStaff`, `permissions=["orders.add_order", may_export]`."""

import inspect
from collections.abc import Callable
from typing import Any

from django_rivet._core import Request, WebSocket
from django_rivet.api.auth import is_known
from django_rivet.api.errors import HTTPError
from django_rivet.api.types import alternatives, annotations

type Rule = str | Callable[[Any], Any]


class Permission:
    """One rule: a Django permission as "app.codename", or a function of the user or the request, which says whether.

    A function's only parameter gets the request, or the WebSocket, when it is called `request` or annotated `Request`
    or `WebSocket`, else the user. It is `def` or `async def`; a `def` before an `async def` handler runs on a thread,
    where it may read the database.
    """

    is_async: bool
    blocks: bool
    by_request = False

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.is_async = not isinstance(rule, str) and _is_async(rule)
        self.blocks = getattr(rule, "blocks", True)
        if isinstance(rule, str):
            app, _, codename = rule.partition(".")
            if not (app and codename):
                raise TypeError(f"permissions={rule!r}: write a Django permission as 'orders.add_order'")
        elif not callable(rule):
            raise TypeError(f"permissions={rule!r}: give 'app.codename', or a function of the user or the request")
        elif not getattr(rule, "of_user", False):
            self.by_request = _takes_request(rule)

    def allows(self, request: Any) -> Any:
        """Whether the sender may; an awaitable of it where `is_async`."""
        if isinstance(self.rule, str):
            return request.user.has_perm(self.rule)
        return self.rule(request if self.by_request else request.user)

    def refusal(self) -> HTTPError:
        """The answer to who may not."""
        if isinstance(self.rule, str):
            return HTTPError(403, f"This needs the permission {self.rule}.")
        return HTTPError(403, getattr(self.rule, "detail", "You may not do this."))


def _is_async(rule: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(rule) or inspect.iscoroutinefunction(getattr(rule, "__call__", None))  # noqa: B004


def _takes_request(rule: Callable[..., Any]) -> bool:
    names = list(inspect.signature(rule).parameters)
    if len(names) != 1:
        raise TypeError(f"permissions={rule!r}: it takes one parameter, the user or the request")
    kinds = alternatives(annotations(rule, "permissions").get(names[0]))
    return names[0] == "request" or Request in kinds or WebSocket in kinds


def IsAuthenticated(user: Any) -> bool:
    """Whoever is known: for routes whose `auth` lets others in too."""
    return is_known(user)


def IsStaff(user: Any) -> bool:
    """Users with `is_staff`."""
    return bool(getattr(user, "is_staff", False) and getattr(user, "is_active", True))


def IsSuperuser(user: Any) -> bool:
    """Users with `is_superuser`."""
    return bool(getattr(user, "is_superuser", False) and getattr(user, "is_active", True))


IsStaff.detail = "This is for staff only."  # type: ignore[attr-defined]
IsSuperuser.detail = "This is for superusers only."  # type: ignore[attr-defined]
for _rule in (IsAuthenticated, IsStaff, IsSuperuser):
    _rule.blocks = False  # type: ignore[attr-defined]  # they look at what is there
