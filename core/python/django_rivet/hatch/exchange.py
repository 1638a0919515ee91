"""One request to a native handler under another server: the handler runs, and a Django response comes of it.

Here are `def` handlers, which run to their end before their answer goes out. `loop` and `wsgi` run coroutines, which
may answer in parts: those of `async def` handlers, and what a route's `settle` returns.
"""

import asyncio
import functools
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, cast

from django.core.signals import got_request_exception
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from django_rivet import conf
from django_rivet._core import Request
from django_rivet.api.errors import HTTPError
from django_rivet.api.made import Made
from django_rivet.hatch.answer import Answer, Progress, logger
from django_rivet.hatch.channel import Live
from django_rivet.hatch.request import HatchRequest
from django_rivet.hatch.response import complete, failed, problem, rendered
from django_rivet.hatch.table import Call
from django_rivet.hatch.timed import within

# Makes the coroutine that answers, or gives the answer, when it is known how: `Live` is the way.
type Work = Callable[[Live], Coroutine[Any, Any, HttpResponseBase | None]]


@dataclass(frozen=True, slots=True)
class Later:
    """A request that has a coroutine to answer it."""

    request: HatchRequest
    work: Work
    timeout: float | None = None


def handling(django: HttpRequest, call: Call, options: conf.Options) -> Later:
    """An `async def` handler. Raises HTTPError for a body that is not taken."""
    request = HatchRequest(django, Answer(options.spool), options)
    request.load()
    return Later(request, lambda answer: _handle(django, call, request, answer), call.route.limits.timeout or None)


def blocking(django: HttpRequest, call: Call, options: conf.Options, *, is_async: bool) -> HttpResponseBase | Later:
    """Runs a `def` handler on this thread, or on one of its own when its time is bounded. is_async: the answer's parts
    are to come as an async iterator."""
    answer = Answer(options.spool)
    request = HatchRequest(django, answer, options)
    try:
        request.load()
    except HTTPError as error:
        return refused(django, error)
    run = functools.partial(_block, django, call, request, answer, is_async=is_async)
    if not (timeout := call.route.limits.timeout):
        return run()
    try:
        return within(timeout, run)
    except TimeoutError:
        return late(django)


def _block(
    django: HttpRequest, call: Call, request: HatchRequest, answer: Answer, *, is_async: bool
) -> HttpResponseBase | Later:
    value, error = None, None
    try:
        value = call.route.handler(*_arguments(call, request), **call.parameters)
        if answer.progress == Progress.WAITING and not request._touched and call.route.plain.takes(value):
            return rendered(value, django.method == "HEAD")
    except Exception as raised:
        error = raised
    if answer.progress == Progress.WAITING or isinstance(value, Made):
        try:
            later = call.route.settle(cast(Request, request), value, error)
        except Exception as failure:
            report(django, failure)
        else:
            if later is not None:
                work = functools.partial(_settle, django, later, error)
                return Later(request, work, call.route.limits.timeout or None)
            _tell(django, answer, error)
    elif error is not None:
        report(django, error)
    return ended(django, answer, is_async=is_async)


def ended(django: HttpRequest, answer: Answer, *, is_async: bool) -> HttpResponseBase:
    """The response when all has run that could answer."""
    if answer.progress == Progress.WAITING:
        return failed(django.method == "HEAD")
    if answer.progress == Progress.STARTED:
        answer.abort()
    return complete(answer, django.method == "HEAD", is_async)


def finish(
    django: HttpRequest, answer: Answer, result: Callable[[], HttpResponseBase | None], *, is_async: bool
) -> HttpResponseBase:
    """The response when a coroutine has ended, or has answered; `result` returns or raises what it did."""
    try:
        response = result()
    except (Exception, asyncio.CancelledError) as error:
        report(django, error)
        response = None
    return response or ended(django, answer, is_async=is_async)


def refused(django: HttpRequest, error: HTTPError) -> HttpResponseBase:
    """The answer to a body that is not taken."""
    return problem(error, django.method == "HEAD")


def late(django: HttpRequest) -> HttpResponseBase:
    """The answer in the place of one that has not begun in time."""
    return problem(HTTPError(504, "The answer took too long."), django.method == "HEAD")


def report(django: HttpRequest, error: BaseException) -> None:
    """Logs an exception of a handler as the engine does, and tells Django's signal."""
    logger.error("a handler failed", exc_info=error)
    _signal(django, error)


async def _handle(django: HttpRequest, call: Call, request: HatchRequest, answer: Live) -> HttpResponseBase | None:
    value, error = None, None
    try:
        value = await call.route.handler(*_arguments(call, request), **call.parameters)
        if answer.progress == Progress.WAITING and not request._touched and call.route.plain.takes(value):
            return rendered(value, django.method == "HEAD")
    except Exception as raised:
        error = raised
    if answer.progress == Progress.WAITING or isinstance(value, Made):
        if later := call.route.settle(cast(Request, request), value, error):
            await _settle(django, later, error, answer)
        else:
            _tell(django, answer, error)
    elif error is not None:
        _broke_off(django, error, answer)
    return None


async def _settle(
    django: HttpRequest, later: Coroutine[Any, Any, None], error: Exception | None, answer: Live
) -> HttpResponseBase | None:
    try:
        await later
        _tell(django, answer, error)
    except Exception as raised:
        _broke_off(django, raised, answer)
    return None


def _broke_off(django: HttpRequest, error: Exception, answer: Live) -> None:
    """An exception after the answer has begun can only be reported, and cuts the answer."""
    if not (answer.gone and isinstance(error, OSError)):
        report(django, error)
    if answer.progress == Progress.STARTED:
        answer.abort()


def _arguments(call: Call, request: HatchRequest) -> list[HatchRequest]:
    return [request] if call.route.kind.endswith("+request") else []


def _tell(django: HttpRequest, answer: Answer, error: Exception | None) -> None:
    """Tells Django's signal of an exception that nobody expected: `settle` has logged it."""
    if error is not None and answer.status == 500:
        _signal(django, error)


def _signal(django: HttpRequest, error: BaseException) -> None:
    """For test clients and others."""
    try:
        raise error
    except BaseException:  # receivers look at sys.exception()
        got_request_exception.send(sender=None, request=django)
