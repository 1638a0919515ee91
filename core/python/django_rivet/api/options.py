"""The options of a route, as the decorators of `API` take them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from django_rivet.api.limits import Limits
from django_rivet.api.pagination import Paginator
from django_rivet.api.route import REQUIRED, Handler
from django_rivet.api.shared import DEFAULTS, Shared


class Options(Shared, total=False):
    """What may be said of a route; `API` documents it."""

    inline: bool
    blocking: bool
    status: int
    returns: Any
    name: str
    tags: Sequence[str]
    summary: str
    description: str
    deprecated: bool
    paginate: Paginator
    etag: Literal[True] | Callable[..., Any]
    last_modified: Callable[..., Any]
    operation_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The options with their defaults."""

    inline: bool = False
    blocking: bool = False
    status: int = 200
    returns: Any = REQUIRED
    name: str = ""
    tags: Sequence[str] = ()
    summary: str = ""
    description: str = ""
    deprecated: bool = False
    auth: Any = REQUIRED
    permissions: Any = REQUIRED
    csrf: Any = REQUIRED
    throttle: Any = REQUIRED
    atomic: Any = REQUIRED
    middleware: Any = REQUIRED
    max_body: Any = REQUIRED
    timeout: Any = REQUIRED
    compress: Any = REQUIRED
    paginate: Paginator | None = None
    responses: Any = REQUIRED
    include_in_schema: Any = REQUIRED
    operation_id: str = ""
    etag: Literal[True] | Callable[..., Any] | None = None
    last_modified: Callable[..., Any] | None = None

    @property
    def validators(self) -> tuple[str, ...]:
        """As `Operation`."""
        given = {"ETag": self.etag, "Last-Modified": self.last_modified}
        return tuple(name for name, each in given.items() if each is not None)

    @property
    def conditions(self) -> dict[str, Handler]:
        """The functions that give the tag and the time, as `Signature`."""
        given = {"etag": self.etag, "modified": self.last_modified}
        return {name: each for name, each in given.items() if callable(each)}

    def check(self, where: str, method: str) -> None:
        """Raises TypeError or ValueError for values that cannot be."""
        self.limits(where)
        for name, each in (("etag", self.etag), ("last_modified", self.last_modified)):
            if not (each is None or callable(each) or (name == "etag" and each is True)):
                raise TypeError(f"{name}={each!r}: give a function that takes what Depends takes")
        if self.etag is True and method != "GET":
            raise ValueError(f"etag=True is for GET; a function says which tag a {method} may change")

    def limits(self, where: str) -> Limits:
        """As they hold when nobody else says more. Raises ValueError for what cannot be."""
        known = self.within(())
        return Limits.of(where, known.max_body, known.timeout, known.compress)

    def within(self, shared: Sequence[Mapping[str, Any]]) -> "Settings":
        """With what its routers say, the nearest one first, where the route itself says nothing."""
        return replace(
            self,
            **{
                name: next((each[name] for each in shared if name in each), default)
                for name, default in DEFAULTS.items()
                if getattr(self, name) is REQUIRED
            },
        )
