"""Where a handler's parameter comes from, when its annotation alone does not say it: `Annotated[str, Header()]`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Marker:
    """name: what it is called in the request; without one the parameter's own name."""

    name: str | None = None


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


class File(Marker):
    """An uploaded file of a multipart form; the annotation is Django's `UploadedFile`, or a list of it."""

    __slots__ = ()


class Body(Marker):
    """The JSON body, for annotations that are none by themselves: `Annotated[list[int], Body()]`."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Depends:
    """The value that `provider` gives: `Annotated[User, Depends(current_user)]`.

    A provider has parameters as a handler has, `Depends` among them. It is called once a request, however many ask for
    it. `async def` providers need an `async def` handler; `def` providers run where the handler runs, and in an
    `async def` handler they must not block. A generator yields the value, and goes on when the answer has been made;
    when the handler raises, it raises at the `yield`.
    """

    provider: Callable[..., Any]


type Source = Marker | Depends
