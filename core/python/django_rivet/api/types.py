"""What an annotation says of where its parameter comes from."""

import collections.abc
import dataclasses
import enum
import functools
import inspect
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec
from django.core.files.uploadedfile import UploadedFile

from django_rivet.api.markers import Depends, Marker
from django_rivet.api.route import Handler

_LISTS = (list, tuple, set, frozenset, Sequence, collections.abc.Set, collections.abc.Collection)


def annotations(function: Handler, where: str) -> dict[str, Any]:
    """The parameters' annotations, evaluated; TypeError names one that cannot be."""
    function = inspect.unwrap(function)
    if isinstance(function, functools.partial):
        return annotations(function.func, where)
    if inspect.isclass(function):
        function = function.__init__
    elif not hasattr(function, "__globals__") and not inspect.ismethod(function):
        function = type(function).__call__
    found = {}
    for name, annotation in getattr(function, "__annotations__", {}).items():
        try:
            found[name] = _evaluate(annotation, function)
        except Exception as error:
            # The answer's type is needed by few: a name for type checkers only will do there.
            if name != "return":
                raise TypeError(f"{where}: the annotation {name}: {annotation} is not known here: {error}") from None
    return found


def _evaluate(annotation: Any, function: Handler) -> Any:
    if not isinstance(annotation, str):
        return annotation
    return eval(annotation, function.__globals__, dict(inspect.getclosurevars(function).nonlocals))


def split(annotation: Any) -> tuple[Any, Marker | Depends | None]:
    """An annotation without our marker, and the marker. A marker's class stands for one that says no more."""
    if isinstance(annotation, typing.TypeAliasType):
        return split(annotation.__value__)
    if get_origin(annotation) is not Annotated:
        return annotation, None
    kind, *metadata = get_args(annotation)
    marker: Marker | Depends | None = None
    rest = []
    for each in metadata:
        if isinstance(each, type) and issubclass(each, Marker | Depends):
            marker = each()
        elif isinstance(each, Marker | Depends):
            marker = each
        else:
            rest.append(each)
    return (Annotated[(kind, *rest)] if rest else kind), marker


def alternatives(annotation: Any) -> list[Any]:
    """What a value may be: the members of a union but None, without Annotated and NewType.

    A Literal of text and of other values is two of them.
    """
    annotation, _ = bare(annotation)
    if get_origin(annotation) in (Union, types.UnionType):
        return [each for member in get_args(annotation) for each in alternatives(member) if each is not type(None)]
    if get_origin(annotation) is Literal:
        return _literals(annotation)
    return [annotation]


def _literals(literal: Any) -> list[Any]:
    values = get_args(literal)
    texts = tuple(each for each in values if isinstance(each, str))
    others = tuple(each for each in values if each is not None and not isinstance(each, str))
    parts = [each for each in (texts, others) if each]
    return [literal] if parts == [values] else [Literal[each] for each in parts]


def bare(annotation: Any) -> tuple[Any, tuple[Any, ...]]:
    """The type itself, and its metadata."""
    if isinstance(annotation, typing.TypeAliasType):
        return bare(annotation.__value__)
    if isinstance(annotation, typing.NewType):
        return bare(annotation.__supertype__)
    if get_origin(annotation) is Annotated:
        kind, *metadata = get_args(annotation)
        inner, more = bare(kind)
        return inner, (*more, *metadata)
    return annotation, ()


def is_record(annotation: Any) -> bool:
    """Has it named fields: a Struct, dataclass or TypedDict, or one of several?"""
    return any(_is_record(each) for each in alternatives(annotation))


def _is_record(kind: Any) -> bool:
    kind = get_origin(kind) or kind
    return isinstance(kind, type) and (
        issubclass(kind, msgspec.Struct)
        or dataclasses.is_dataclass(kind)
        or typing.is_typeddict(kind)
        or hasattr(kind, "__attrs_attrs__")
    )


def is_body(annotation: Any) -> bool:
    """Can it be nothing but JSON: a record, a dict, or a list of those?"""
    for kind in alternatives(annotation):
        origin = get_origin(kind) or kind
        if _is_record(kind) or (isinstance(origin, type) and issubclass(origin, Mapping)):
            return True
        if is_list(kind) and any(is_body(each) for each in get_args(kind) if each is not Ellipsis):
            return True
    return False


def is_list(annotation: Any) -> bool:
    """Does it take several values of a name?"""
    return any((get_origin(kind) or kind) in _LISTS for kind in alternatives(annotation))


def is_text(kind: Any) -> bool:
    """Is each value of a type, which is no union, a str?"""
    if get_origin(kind) is Literal:
        return all(isinstance(value, str) for value in get_args(kind))
    return isinstance(kind, type) and issubclass(kind, str)


def is_optional(annotation: Any) -> bool:
    """May it be None?"""
    annotation, _ = bare(annotation)
    if get_origin(annotation) in (Union, types.UnionType):
        return any(map(is_optional, get_args(annotation)))
    if get_origin(annotation) is Literal:
        return None in get_args(annotation)
    return annotation is None or annotation is types.NoneType


def is_file(annotation: Any) -> bool:
    """Is it an uploaded file, or a list of them?"""
    return any(
        (isinstance(kind, type) and issubclass(kind, UploadedFile))
        or (is_list(kind) and any(is_file(each) for each in get_args(kind)))
        for kind in alternatives(annotation)
    )


def record_fields(annotation: Any) -> dict[str, Any]:
    """The fields of a record as they are called in a request, and their types."""
    fields: dict[str, Any] = {}
    for kind in alternatives(annotation):
        info = msgspec.inspect.type_info(kind)
        hints = typing.get_type_hints(get_origin(kind) or kind, include_extras=True)
        for field in getattr(info, "fields", ()):
            fields[field.encode_name] = hints[field.name]
    return fields


def record_names(annotation: Any) -> dict[str, bool]:
    """As `record_fields`, and whether each is a list."""
    return {name: is_list(each) for name, each in record_fields(annotation).items()}


def takes_empty_text(annotation: Any) -> bool:
    """May it be the text ""?"""
    return any(_takes_empty_text(kind) for kind in alternatives(annotation))


def _takes_empty_text(kind: Any) -> bool:
    if get_origin(kind) is Literal:
        return "" in get_args(kind)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return any(each.value == "" for each in kind)
    return kind in (Any, object) or (isinstance(kind, type) and issubclass(kind, str | bytes))


def unknown_type(annotation: Any) -> Any:
    """The type in an annotation that msgspec cannot make from a request, or None. It makes Django's choices."""
    found = msgspec.inspect.type_info(annotation)
    pending: list[Any] = [found]
    while pending:
        each = pending.pop()
        if isinstance(each, msgspec.inspect.CustomType) and not issubclass(each.cls, UploadedFile | enum.Enum):
            return each.cls
        for name in ("types", "item_type", "item_types", "type"):
            value = getattr(each, name, None)
            pending += value if isinstance(value, tuple) else [value] if isinstance(value, msgspec.inspect.Type) else []
    return None
