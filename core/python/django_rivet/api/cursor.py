"""Pages by a cursor: each begins behind the last item of the one before, however many there are."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Annotated, Any

import msgspec
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.core.signing import BadSignature, Signer
from django.db.models import Field, Q, QuerySet

from django_rivet._core import Request
from django_rivet.api.errors import HTTPError
from django_rivet.api.pagination import Asked, Paginator, Slice, _size

_LONGEST = 2000  # characters of a cursor


class Cursor(Paginator):
    """`?cursor=...`, as `next` and `previous` of the answer have it: quick on tables of any size, and what is added or
    deleted meanwhile moves no item to another page. It does not count. A cursor is signed, but who gets it can read the
    values in it: those of the columns of the order.

    size, max_size: as `PageNumber`. The queryset is ordered by columns of its own that are never NULL; `pk` is added,
    so that no two items are equal. Raises TypeError, when it is asked for a page, for another order.
    """

    def __init__(self, size: int = 20, max_size: int = 100) -> None:
        self.size = _size("Cursor", size, max_size)
        self.max_size = max_size

    def reader(self) -> Callable[..., Asked]:
        def read(
            request: Request,
            cursor: Annotated[str, msgspec.Meta(max_length=_LONGEST)] = "",
            size: Annotated[int, msgspec.Meta(ge=1, le=self.max_size)] = self.size,
        ) -> Asked:
            return Asked(request, {"cursor": cursor, "size": size})

        return read

    def slice(self, items: Any, asked: Asked) -> Slice:
        self.check(items)
        if not isinstance(items, QuerySet):
            raise TypeError(f"Cursor needs a queryset, not {type(items).__name__}")
        order = _order(items)
        size = asked.values["size"]
        backwards, edge = _read(asked.values["cursor"], order)
        directions = [(field, down != backwards) for field, down in order]
        found = items.order_by(*(f"{'-' * down}{field.attname}" for field, down in directions))
        found.query.standard_ordering = True  # its `reverse` is in the directions
        if edge:
            found = found.filter(_behind(directions, edge))
        objects = list(found[: size + 1])
        more = len(objects) > size
        objects = objects[:size]
        if backwards:
            objects.reverse()
        after = bool(objects) and (more or backwards)
        before = bool(objects) and (more if backwards else bool(edge))
        return Slice(
            objects,
            next={"cursor": _write(False, objects[-1], order), "size": str(size)} if after else None,
            previous={"cursor": _write(True, objects[0], order), "size": str(size)} if before else None,
        )


type Order = list[tuple[Field[Any, Any], bool]]


def _order(queryset: QuerySet[Any]) -> Order:
    """The fields that a queryset is ordered by, and whether downwards; the primary key is the last."""
    model = queryset.model
    names = queryset.query.order_by or (model._meta.ordering if queryset.query.default_ordering else ())
    order: Order = []
    for name in names:
        if not isinstance(name, str) or "__" in name or name == "?":
            raise TypeError(f"Cursor orders by columns of {model.__name__} itself, not by {name!r}")
        plain = name.removeprefix("-")
        try:
            field = model._meta.pk if plain == "pk" else model._meta.get_field(plain)
        except FieldDoesNotExist:
            field = None
        if not isinstance(field, Field) or field.null:
            raise TypeError(f"Cursor orders by columns of {model.__name__} that are never NULL, not by {name!r}")
        order.append((field, name.startswith("-") != (queryset.query.standard_ordering is False)))
        if field.primary_key:
            return order
    assert model._meta.pk is not None
    return [*order, (model._meta.pk, False)]


def _behind(directions: Order, edge: list[Any]) -> Q:
    """What comes behind an item: greater in the first column, or equal there and greater in the next, ..."""
    behind, equal = Q(pk__in=[]), Q()
    for (field, down), value in zip(directions, edge, strict=True):
        behind |= equal & Q(**{f"{field.attname}__{'lt' if down else 'gt'}": value})
        equal &= Q(**{field.attname: value})
    return behind


def _signer(order: Order) -> Signer:
    """A cursor is good for lists of this order only, and as it was given: its values go into a query."""
    columns = (f"{'-' * down}{field.attname}" for field, down in order)
    return Signer(salt=f"django_rivet.cursor {order[0][0].model._meta.label} {' '.join(columns)}")


def _write(backwards: bool, item: Any, order: Order) -> str:
    values = [_text(field, item) for field, _ in order]
    return _signer(order).sign_object([backwards, *values], compress=True)


def _text(field: "Field[Any, Any]", item: Any) -> str:
    """A column's value, which is never NULL, of a model or of what `values()` makes."""
    for name in (field.attname, field.name, *(["pk"] if field.primary_key else [])):
        value = item.get(name) if isinstance(item, dict) else getattr(item, name, None)
        if value is not None:
            holder: Any = SimpleNamespace(**{field.attname: value})
            return str(field.value_to_string(holder))
    raise TypeError(f"Cursor needs {field.attname!r} in each item, as the order has it: add it to values()")


def _read(cursor: str, order: Order) -> tuple[bool, list[Any]]:
    """The direction and the values of a cursor. Raises HTTPError (400) for one that is not ours."""
    if not cursor:
        return False, []
    try:
        backwards, *values = _signer(order).unsign_object(cursor)
        return backwards, [field.to_python(value) for (field, _), value in zip(order, values, strict=True)]
    except (BadSignature, ValidationError):
        raise HTTPError(400, "The cursor is not one that this list has given.") from None
