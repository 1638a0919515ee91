"""BaseHandler.get_response_async for a flat chain: what is sync in it runs in two halves, before and after the view."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from inspect import CO_COROUTINE, iscoroutinefunction
from types import FunctionType
from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.handlers.exception import response_for_exception
from django.http.response import HttpResponseBase
from django.urls import set_urlconf
from django.utils.log import log_response

from .half import Half
from .request import RivetRequest
from .signals import start

if TYPE_CHECKING:
    from .chain import After
    from .handler import DjangoHandler


class _Turn:
    """One request on its way through the chain."""

    __slots__ = ("afters", "args", "callback", "handler", "kwargs", "request", "view")

    afters: tuple[After, ...]
    callback: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    view: Callable[..., Any]

    def __init__(self, handler: DjangoHandler, request: RivetRequest) -> None:
        self.handler = handler
        self.request = request

    def before(self) -> tuple[HttpResponseBase | None, bool]:
        """Returns an answer that needs no view, and whether it may still have to be rendered."""
        handler, request = self.handler, self.request
        if request.rivet_start:
            start(handler, request)
        set_urlconf(settings.ROOT_URLCONF)
        response, self.afters = handler.chain.before(request)
        if response is not None:
            return response, False
        try:
            self.callback, self.args, self.kwargs = handler.resolve_request(request)
            for process_view in handler._view_middleware:
                response = process_view(request, self.callback, self.args, self.kwargs)
                if response:
                    return response, True
            self.view = handler.make_view_atomic(self.callback)
        except Exception as error:
            return response_for_exception(request, error), False
        return None, True

    def checked(self, response: Any, error: Exception | None) -> tuple[Any, bool]:
        """Exception and template middleware. Returns the response, and whether it must still be rendered."""
        handler, request = self.handler, self.request
        try:
            if error is not None:
                response = handler.process_exception_by_middleware(error, request)
                if response is None:
                    raise error
            handler.check_response(response, self.callback)
            if not callable(getattr(response, "render", None)):
                return response, False
            for method in handler._template_response_middleware:
                response = method(request, response)
                name = f"{method.__self__.__class__.__name__}.process_template_response"
                handler.check_response(response, method, name=name)
        except Exception as error:
            return response_for_exception(request, error), False
        return response, True

    def rendered(self, render: Callable[[], Any]) -> Any:
        """`render()`, or what the middleware or the error handler make of its exception."""
        try:
            try:
                return render()
            except Exception as error:
                response = self.handler.process_exception_by_middleware(error, self.request)
                if response is None:
                    raise
                return response
        except Exception as error:
            return response_for_exception(self.request, error)

    def complete(self, response: Any, error: Exception | None) -> Any:
        """Everything after the view. Returns None when the response has to be rendered by a coroutine first."""
        response, to_render = self.checked(response, error)
        if to_render:
            response = self.rendered(response.render)
        return self.after(response)

    def after(self, response: Any) -> Any:
        request = self.request
        response = self.handler.chain.after(request, response, self.afters)
        response._resource_closers.append(request.close)
        if response.status_code >= 400:
            log_response("%s: %s", response.reason_phrase, request.path, response=response, request=request)
        return response


async def respond(handler: DjangoHandler, request: RivetRequest, half: Half) -> Any:
    """The response to `request`, closed by the caller."""
    turn = _Turn(handler, request)
    response: Any
    response, open_ = await half(turn.before)
    error = None
    if response is None:
        view = turn.view
        if not _is_coroutine_function(view):
            view = sync_to_async(view, thread_sensitive=True)
        try:
            response = await view(request, *turn.args, **turn.kwargs)
        except Exception as raised:
            error = raised
    if not open_:
        return await half(turn.after, response)
    if not _is_coroutine_function(getattr(response, "render", None)):
        return await half(turn.complete, response, error)
    response, to_render = await half(turn.checked, response, error)
    if to_render:
        try:
            response = await response.render()
        except Exception as raised:
            response = await half(turn.rendered, partial(_throw, raised))
    return await half(turn.after, response)


def _is_coroutine_function(function: Any) -> bool:
    # inspect's takes a microsecond, and plain functions and responses without `render` are nearly all there are.
    if type(function) is FunctionType and function.__code__.co_flags & CO_COROUTINE:
        return True
    return function is not None and iscoroutinefunction(function)


def _throw(error: Exception) -> None:
    raise error
