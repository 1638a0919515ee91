"""Django's middleware chain as two loops.

Django nests: exception conversion, middleware, exception conversion, middleware, ... A plain MiddlewareMixin does
nothing but process_request before and process_response after, so a run of them is two flat loops over the same methods:
less work for sync views, and for async ones no hop to a thread for every half. The code run is always Django's own.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any

from django.core.handlers.exception import response_for_exception
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.deprecation import MiddlewareMixin

if TYPE_CHECKING:
    from .routing import ResolvesOnce

After = Callable[[HttpRequest, HttpResponseBase], HttpResponseBase]


class FlatChain:
    """The outer plain middlewares of a loaded (sync) handler; the rest of its chain is `inner`, Django's own."""

    def __init__(self, handler: ResolvesOnce) -> None:
        plain: list[Any] = []
        inner: Any = handler._middleware_chain
        while _is_plain(wrapped := _wrapped(inner)):
            plain.append(wrapped)
            inner = wrapped.get_response
        self.plain = plain
        self.inner = inner
        # Nothing is left but exception conversion round the view.
        self.whole: bool = wrapped == handler._get_response
        afters = [(index, m.process_response) for index, m in enumerate(plain) if hasattr(m, "process_response")]
        afters.reverse()
        # With each process_request: what unwinds when it raises, and when it answers.
        self.befores = [
            (m.process_request, _upto(afters, index - 1), _upto(afters, index))
            for index, m in enumerate(plain)
            if hasattr(m, "process_request")
        ]
        self.afters = _upto(afters, len(plain))

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response, afters = self.before(request)
        if response is None:
            response = self.inner(request)
        return self.after(request, response, afters)

    def before(self, request: HttpRequest) -> tuple[HttpResponseBase | None, tuple[After, ...]]:
        """Runs the process_request methods. Returns the answer, if one gave it, and what to hand to `after`."""
        for process_request, on_error, on_answer in self.befores:
            try:
                response = process_request(request)
            except Exception as error:
                return response_for_exception(request, error), on_error
            if response:
                return response, on_answer
        return None, self.afters

    def after(self, request: HttpRequest, response: HttpResponseBase, afters: tuple[After, ...]) -> HttpResponseBase:
        """Runs the process_response methods, innermost first."""
        for process_response in afters:
            try:
                response = process_response(request, response)
            except Exception as error:
                response = response_for_exception(request, error)
        return response


def _wrapped(converted: Any) -> Any:
    """What convert_exception_to_response was called with."""
    return getattr(converted, "__wrapped__", None)


def _is_plain(middleware: Any) -> bool:
    kind = type(middleware)
    return (
        isinstance(middleware, MiddlewareMixin)
        and kind.__call__ is MiddlewareMixin.__call__
        and kind.__acall__ is MiddlewareMixin.__acall__
        and not any(
            iscoroutinefunction(getattr(middleware, name, None))
            for name in (
                "process_request", "process_response", "process_view", "process_exception", "process_template_response",
            )
        )
    )  # fmt: skip


def _upto(afters: list[tuple[int, After]], last: int) -> tuple[After, ...]:
    return tuple(after for index, after in afters if index <= last)
