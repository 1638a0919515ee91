"""A queryset in pages: `paginate=PageNumber()` and a handler that returns the queryset."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, cast, get_args, get_origin
from urllib.parse import parse_qsl, urlencode

import msgspec
from asgiref.sync import sync_to_async
from django.db.models import QuerySet

from django_rivet._core import Request
from django_rivet.api import types
from django_rivet.api.markers import Depends
from django_rivet.api.route import Handler

# No database counts further, and no page is there.
_FAR = 2**31

type Params = dict[str, str]


class Page[Item](msgspec.Struct):
    """What is answered. next, previous: where the other pages are, a path and query; None: there is none.

    count: of all items; None where the paginator does not count.
    """

    items: list[Item]
    count: int | None = None
    next: str | None = None
    previous: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """Which page a request wants: the values of the paginator's parameters."""

    request: Request
    values: dict[str, Any]

    def url(self, params: Params | None) -> str | None:
        """The same request with other parameters of the paginator's; None for None."""
        if params is None:
            return None
        query = parse_qsl(self.request.query_string.decode("latin-1"), keep_blank_values=True, encoding="latin-1")
        kept = [(name, value) for name, value in query if name not in params]
        path = self.request.raw_path.decode("latin-1")
        return f"{path}?{urlencode([*kept, *params.items()], encoding='latin-1')}"


@dataclass(frozen=True, slots=True)
class Slice:
    """The items of one page, and the parameters of those beside it."""

    items: Sequence[Any]
    count: int | None = None
    next: Params | None = None
    previous: Params | None = None


class Paginator:
    """The base of those here and of a project's own."""

    def reader(self) -> Callable[..., Asked]:
        """A provider that takes the request and the parameters in the query."""
        raise NotImplementedError

    def slice(self, items: Any, asked: Asked) -> Slice:
        """The page that is asked for. It may block."""
        raise NotImplementedError

    def check(self, items: Any) -> None:
        """Raises TypeError for what cannot be cut into pages that are the same the next time."""
        if isinstance(items, QuerySet):
            if not items.ordered:
                raise TypeError(f"paginate needs an order: {items.model.__name__}.objects.order_by('pk')")
        elif not isinstance(items, Sequence) or isinstance(items, str | bytes):
            raise TypeError(f"paginate needs a queryset or a list, not {type(items).__name__}")


class PageNumber(Paginator):
    """`?page=2&size=50`, from 1 on.

    size: items of a page that nobody has asked for otherwise; max_size: the most. count: False saves a query, which is
    slow on large tables; the answer then has no `count`. Order by something unique at last, or items may move between
    pages.
    """

    def __init__(self, size: int = 20, max_size: int = 100, *, count: bool = True) -> None:
        self.size = _size("PageNumber", size, max_size)
        self.max_size = max_size
        self.count = count

    def reader(self) -> Callable[..., Asked]:
        def read(
            request: Request,
            page: Annotated[int, msgspec.Meta(ge=1, le=_FAR)] = 1,
            size: Annotated[int, msgspec.Meta(ge=1, le=self.max_size)] = self.size,
        ) -> Asked:
            return Asked(request, {"page": page, "size": size})

        return read

    def slice(self, items: Any, asked: Asked) -> Slice:
        self.check(items)
        page, size = asked.values["page"], asked.values["size"]
        found, count, more = _cut(items, (page - 1) * size, size, count=self.count)
        beside = {"size": str(size)}
        return Slice(
            found,
            count,
            {"page": str(page + 1), **beside} if more else None,
            {"page": str(page - 1), **beside} if page > 1 else None,
        )


class LimitOffset(Paginator):
    """`?limit=50&offset=100`. limit, max_limit: as `PageNumber` has size and max_size."""

    def __init__(self, limit: int = 20, max_limit: int = 100, *, count: bool = True) -> None:
        self.limit = _size("LimitOffset", limit, max_limit)
        self.max_limit = max_limit
        self.count = count

    def reader(self) -> Callable[..., Asked]:
        def read(
            request: Request,
            limit: Annotated[int, msgspec.Meta(ge=1, le=self.max_limit)] = self.limit,
            offset: Annotated[int, msgspec.Meta(ge=0, le=_FAR)] = 0,
        ) -> Asked:
            return Asked(request, {"limit": limit, "offset": offset})

        return read

    def slice(self, items: Any, asked: Asked) -> Slice:
        self.check(items)
        limit, offset = asked.values["limit"], asked.values["offset"]
        found, count, more = _cut(items, offset, limit, count=self.count)
        beside = {"limit": str(limit)}
        return Slice(
            found,
            count,
            {**beside, "offset": str(offset + limit)} if more else None,
            {**beside, "offset": str(max(0, offset - limit))} if offset else None,
        )


def _size(what: str, size: int, most: int) -> int:
    if not 1 <= size <= most:
        raise ValueError(f"{what}({size}, {most}): a page has at least 1 item, and no more than the most")
    return size


def _cut(items: Any, first: int, size: int, *, count: bool) -> tuple[Sequence[Any], int | None, bool]:
    """Some of the items, how many there are, and whether there are more behind these."""
    if count:
        total = items.count() if isinstance(items, QuerySet) else len(items)
        return list(items[first : first + size]) if first < total else [], total, first + size < total
    found = list(items[first : first + size + 1])
    return found[:size], None, len(found) > size


def item_type(where: str, returns: Any) -> Any:
    """What the items become, from `returns=list[Item]` or the annotation. Raises TypeError."""
    origin, arguments = get_origin(returns), get_args(returns)
    if origin in (list, tuple, Sequence) and arguments:
        return arguments[0]
    raise TypeError(f"{where}: paginate needs to know what the items become: returns=list[Item]")


def paginated(handler: Handler, paginator: Paginator, item: Any, where: str) -> Handler:
    """The handler with the paginator's parameters, which returns a `Page`."""
    if not isinstance(paginator, Paginator):
        raise TypeError(f"{where}: paginate={paginator!r}: give a paginator, such as PageNumber()")
    convert = _converter(paginator, item)
    called: Any
    if inspect.iscoroutinefunction(handler):

        async def later(*args: Any, rivet_asked: Asked, **kwargs: Any) -> Any:
            return await sync_to_async(convert)(await handler(*args, **kwargs), rivet_asked)

        called = later
    else:

        def at_once(*args: Any, rivet_asked: Asked, **kwargs: Any) -> Any:
            return convert(handler(*args, **kwargs), rivet_asked)

        called = at_once
    asked = Annotated[Asked, Depends(paginator.reader())]
    for name in ("__module__", "__name__", "__qualname__", "__doc__"):
        setattr(called, name, getattr(handler, name))
    hints = {**types.annotations(handler, where), "rivet_asked": asked, "return": Page[item]}
    called.__annotations__ = hints
    called.__signature__ = _with(inspect.signature(handler), asked)
    return cast(Handler, called)


def _converter(paginator: Paginator, item: Any) -> Callable[[Any, Asked], Any]:
    def convert(items: Any, asked: Asked) -> Any:
        cut = paginator.slice(items, asked)
        made = msgspec.convert(list(cut.items), list[item], from_attributes=True)
        return Page(made, cut.count, asked.url(cut.next), asked.url(cut.previous))

    return convert


def _with(signature: inspect.Signature, asked: Any) -> inspect.Signature:
    parameters = list(signature.parameters.values())
    place = len(parameters) - any(each.kind is each.VAR_KEYWORD for each in parameters)
    parameters.insert(place, inspect.Parameter("rivet_asked", inspect.Parameter.KEYWORD_ONLY, annotation=asked))
    return signature.replace(parameters=parameters)
