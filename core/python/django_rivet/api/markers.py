"""Where a handler's parameter comes from, when its annotation alone does not say it: `Annotated[str, Header()]`."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Never

import msgspec

from django_rivet.api.limits import MAX_BODY, read

_TYPE = re.compile(r"[\w!#$&^.+-]+/(?:\*|[\w!#$&^.+-]+)", re.ASCII)


@dataclass(frozen=True, slots=True, init=False)
class Marker:
    """name: what it is called in the request; without one the parameter's own name."""

    name: str | None = None

    def __init__(self, name: str | None = None, **others: Never) -> None:
        """Raises TypeError for what other frameworks take here."""
        if others:
            raise TypeError(
                f"{type(self).__name__}() takes a name alone, not {', '.join(others)}: constraints stand beside it, in "
                "Annotated[int, Query(), msgspec.Meta(ge=1)], and a default is the parameter's own"
            )
        object.__setattr__(self, "name", name)


class Query(Marker):
    """From the query. On a Struct, dataclass or TypedDict: its fields are the query's names."""

    __slots__ = ()


class Header(Marker):
    """From a header field; `x_token` is the field `x-token`.

    A field that came several times is one, joined with commas. A list takes its elements: what commas part, outside
    quotation marks, without spaces around it and without empty ones (RFC 9110 5.3, 5.6.1).
    """

    __slots__ = ()


class Cookie(Marker):
    """From a cookie."""

    __slots__ = ()


class Form(Marker):
    """From a form, urlencoded or multipart, as Django parses it. On a Struct: its fields are the form's names."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class File(Marker):
    """An uploaded file of a multipart form; the annotation is Django's `UploadedFile`, or a list of it.

    max_size: bytes of each file, or like "2M"; the whole body is bounded by the route's `max_body`. types: media types
    that are taken, such as "image/png" or "image/*": by the word of who sends it, so look into what you do not trust.
    A file that is not so is answered with 422. Raises ValueError for what is no size or no media type.
    """

    max_size: int | str | None = None
    types: Sequence[str] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "max_size", read("File()", "max_size", MAX_BODY, self.max_size))
        if isinstance(self.types, str) or not all(_TYPE.fullmatch(each) for each in self.types):
            raise ValueError(f"File(types={self.types!r}): write media types, such as ['image/png', 'text/*']")
        object.__setattr__(self, "types", tuple(each.lower() for each in self.types))

    @property
    def limits(self) -> bool:
        """Whether there is something to check."""
        return self.max_size is not None or bool(self.types)

    def check(self, value: Any) -> None:
        """Raises msgspec.ValidationError for an uploaded file, or one of a list, that is not so."""
        for file in value if isinstance(value, list) else [value]:
            if isinstance(self.max_size, int) and file.size > self.max_size:
                raise msgspec.ValidationError(f"Expected at most {self.max_size} bytes, got {file.size}")
            media = (file.content_type or "").lower()
            if self.types and not {media, f"{media.partition('/')[0]}/*"} & {*self.types}:
                raise msgspec.ValidationError(f"Expected {' or '.join(self.types)}, got {media or 'no media type'}")


class Body(Marker):
    """The JSON body, for annotations that are none by themselves: `Annotated[list[int], Body()]`."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Depends:
    """The value that `provider` gives: `Annotated[User, Depends(current_user)]`.

    A provider has parameters as a handler has, `Depends` among them. It is called once a request, however many ask for
    it. `async def` providers need an `async def` handler; `def` providers run where the handler runs, and in an
    `async def` handler they must not block. A generator yields the value, and goes on when the answer has been made;
    when the handler raises, it raises at the `yield`. A class is a provider too, with the parameters of its `__init__`;
    `Annotated[Pager, Depends()]` is short for `Annotated[Pager, Depends(Pager)]`.
    """

    provider: Callable[..., Any] | None = None


type Source = Marker | Depends
