"""Answers for what is no plain value: a handler's exception, a Response, a stream, Django's responses and models.

Plain values never come here: the engine encodes them itself.
"""

import asyncio
import inspect
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Any, cast

import msgspec
from asgiref.sync import sync_to_async
from django.core.exceptions import SynchronousOnlyOperation
from django.http.response import HttpResponseBase

from django_rivet._core import Request
from django_rivet.api import held, stream
from django_rivet.api.background import then, work
from django_rivet.api.blocking import may_block
from django_rivet.api.conditional import Tagged
from django_rivet.api.failures import respond_error
from django_rivet.api.made import Made
from django_rivet.api.plain import PlainValues
from django_rivet.api.responses import EventStream, Response, Stream
from django_rivet.api.returned import Declared
from django_rivet.api.route import Handler
from django_rivet.api.sending import Fields, Later, send_django, send_value


@dataclass(frozen=True, slots=True)
class Settler:
    """Makes answers for one route.

    declared: what values are converted to, Any for nothing; always: even those that could be encoded. plain: which
    values that are no JSON there may be. handlers: those of `exception`, the nearest first. tagged: a whole answer gets
    an ETag.
    """

    status: int
    declared: Declared
    plain: PlainValues
    always: bool
    handlers: tuple[dict[type[Exception], Handler], ...]
    tagged: bool = False

    @property
    def returns(self) -> Any:
        return self.declared.returns

    def __call__(self, request: Request, value: Any, error: Exception | None) -> Later:
        """As `Route.settle`."""
        if self.tagged:
            request = cast(Request, Tagged(request))
        if request._touched:
            request = held.hold(request)
            return held.after(request, self._begin(request, value, error), self._failed)
        return self._begin(request, value, error)

    def _begin(self, request: Request, value: Any, error: Exception | None) -> Later:
        if value is None and error is not None:
            return self._failed(request, error)
        try:
            return self._guarded(request, self._settle(request, value, error))
        except Exception as failure:
            return self._failed(request, failure)

    def _settle(self, request: Request, value: Any, error: Exception | None) -> Later:
        if not isinstance(value, Made):
            return self._answer(request, value, self.status, [], error)
        if isinstance(value.stack, AsyncExitStack):
            return self._made_async(request, value, value.stack)
        if value.stack is None:
            return then(request, self._answer(request, value.value, self.status, [], None), value.background)
        with value.stack as stack:
            later = self._answer(request, value.value, self.status, [], None)
            if later is None:
                return then(request, None, value.background) if value.background else None
            kept = stack.pop_all()
        return then(request, later, value.background, sync_to_async(kept.close))

    async def _made_async(self, request: Request, made: Made, stack: AsyncExitStack) -> None:
        # In the handler's context, so that what its providers have set there can be reset.
        await asyncio.create_task(self._finish(request, made, stack), context=made.context)

    async def _finish(self, request: Request, made: Made, stack: AsyncExitStack) -> None:
        async with stack:
            if later := self._answer(request, made.value, self.status, [], None):
                await later
            await held.flush(request)
        await work(made.background)

    def _answer(self, request: Request, value: Any, status: int, headers: Fields, error: Exception | None) -> Later:
        """Answers with any value; `error` is what the encoder said of it, None when it has not been asked.

        Nothing is left to do for a handler that has answered by its request.
        """
        if request._answered:
            return None
        match value:
            case Response():
                status = status if value.status is None else value.status
                return self._answer(request, value.value, status, headers + value.headers, None)
            case HttpResponseBase():
                return send_django(request, value, headers)
            case EventStream():
                return stream.send_events(request, status, headers + value.headers, value)
            case Stream():
                status = status if value.status is None else value.status
                return stream.send(request, status, headers + value.headers, stream.encoded(value.chunks))
            case AsyncIterator() | Iterator() if self.returns is Any:
                return self._answer(request, Stream(value), status, headers, None)
        self._check(value, status)
        if error is None and not self.always:
            try:
                return send_value(request, value, status, headers)
            except TypeError as unsupported:
                error = unsupported
        if self.returns in (Any, None) or (error is not None and not _convertible(value)):
            if error is None:
                return send_value(request, value, status, headers)
            raise self.declared.unknown(value, error)
        if not may_block():
            return self._convert_later(request, value, status, headers)
        return send_value(request, self._convert(value), status, headers)

    def _check(self, value: Any, status: int) -> None:
        """Raises WrongReturn for text, bytes or None that are not declared; with another status they are none of it."""
        if status == self.status and not self.plain.takes(value):
            raise self.declared.refuse(value)

    def converted(self, value: Any, status: int | None = None) -> Any:
        """A handler's value with what is to be read from the database for it. Blocks."""
        if isinstance(value, Made | Response):
            value.value = self.converted(value.value, value.status if isinstance(value, Response) else None)
            return value
        self._check(value, self.status if status is None else status)
        plain = value is None or isinstance(value, str | bytes | int | float | dict | msgspec.Struct)
        if self.returns in (Any, None) or (plain and not self.always):
            return value
        if isinstance(value, HttpResponseBase | Stream | EventStream):
            return value
        if not self.always:
            try:
                msgspec.json.encode(value)
            except TypeError:
                pass
            else:
                return value
        return self._convert(value)

    def _convert(self, value: Any) -> Any:
        if value is None or isinstance(value, str | bytes):
            return value
        made = value
        if isinstance(value, Iterable) and not isinstance(value, list | dict | msgspec.Struct):
            made = list(value)
        try:
            return msgspec.convert(made, self.returns, from_attributes=True)
        except msgspec.ValidationError as error:
            raise self.declared.refuse(value, error) from None

    async def _convert_later(self, request: Request, value: Any, status: int, headers: Fields) -> None:
        try:
            converted = self._convert(value)
        except SynchronousOnlyOperation:
            converted = await sync_to_async(self._convert)(value)
        send_value(request, converted, status, headers)

    def _guarded(self, request: Request, later: Later) -> Later:
        return self._guard(request, later) if later is not None else None

    async def _guard(self, request: Request, later: Coroutine[Any, Any, None]) -> None:
        try:
            await later
        except Exception as error:
            if again := self._failed(request, error):
                await again

    def _failed(self, request: Request, error: Exception) -> Later:
        """Answers for an exception. One that comes when the answer has begun goes on to the engine, which cuts it."""
        if request._answered:
            raise error
        handler = self._handler(type(error))
        if handler is None:
            respond_error(request, error)
            return None
        try:
            value = handler(held.original(request), error)
            later = value if inspect.isawaitable(value) else self._given(request, handler, value)
        except Exception as failure:
            respond_error(request, failure)
            return None
        return self._handled(request, handler, value, later) if later is not None else None

    def _given(self, request: Request, handler: Handler, value: Any) -> Later:
        """Answers with what a handler of exceptions gives, which has no declared type."""
        declared = replace(self.declared, endpoint=handler, returns=Any)
        untyped = replace(self, declared=declared, plain=PlainValues(), always=False)
        return untyped._answer(request, value, 200, [], None)

    async def _handled(self, request: Request, handler: Handler, value: Any, later: Any) -> None:
        """The rest of what a handler of exceptions has begun. Its own exceptions are nobody's: it would not end."""
        try:
            answered = await later
            if later is value and (later := self._given(request, handler, answered)):
                await later
        except Exception as failure:
            respond_error(request, failure)

    def _handler(self, kind: type[Exception]) -> Handler | None:
        for handlers in self.handlers:
            for each in kind.__mro__:
                if each in handlers:
                    return handlers[each]
        return None


def _convertible(value: Any) -> bool:
    """May a value become another type: a model, a queryset, a list of models? What is JSON by nature is a mistake."""
    return not isinstance(value, str | bytes | int | float)
