"""One request to a native handler under another server: the handler runs, and a Django response comes of it.

Here are those that run to their end before their answer goes out: `def` handlers, and coroutines without the request.
`live` and `wsgi` run coroutines that may answer in parts.
"""

import asyncio
from collections.abc import Callable

from django.core.signals import got_request_exception
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from django_rivet import conf
from django_rivet.hatch.answer import Answer, Progress, logger
from django_rivet.hatch.channel import Live
from django_rivet.hatch.request import HatchRequest, TooLarge
from django_rivet.hatch.response import complete, failed, plain, rendered
from django_rivet.hatch.table import Call


def takes_request(call: Call) -> bool:
    """Whether the handler gets the request."""
    return call.route.kind.endswith("+request")


def report(django: HttpRequest, error: BaseException) -> None:
    """Logs an exception of a handler as the engine does, and tells Django's signal, for test clients and others."""
    logger.error("a handler failed", exc_info=error)
    try:
        raise error
    except BaseException:  # receivers look at sys.exception()
        got_request_exception.send(sender=None, request=django)


def finish(django: HttpRequest, answer: Answer, result: Callable[[], object], *, is_async: bool) -> HttpResponseBase:
    """The response when the handler has ended; `result` returns or raises what it did."""
    head_only = django.method == "HEAD"
    try:
        value = result()
        if answer.progress == Progress.WAITING:
            return rendered(value, head_only)
        if answer.progress == Progress.STARTED:
            answer.abort()
    except (Exception, asyncio.CancelledError) as error:
        report(django, error)
        if answer.progress == Progress.WAITING:
            return failed(head_only)
        if answer.progress == Progress.STARTED:
            answer.abort()
    return complete(answer, head_only, is_async)


def too_large(django: HttpRequest) -> HttpResponseBase:
    """The answer to a body above `max_body`."""
    return plain(413, "the body is too large\n", django.method == "HEAD")


def blocking(django: HttpRequest, call: Call, options: conf.Options, *, is_async: bool = False) -> HttpResponseBase:
    """Runs a `def` handler on this thread."""
    answer = Answer(options.spool)
    request = HatchRequest(django, answer, options)
    arguments = []
    if takes_request(call):
        try:
            request.load()
        except TooLarge:
            return too_large(django)
        arguments = [request]
    return finish(django, answer, lambda: call.route.handler(*arguments, **call.parameters), is_async=is_async)


async def simple(django: HttpRequest, call: Call, options: conf.Options) -> HttpResponseBase:
    """Runs an `async def` handler that has no request: it can only return."""
    try:
        value = await call.route.handler(**call.parameters)
    except Exception as error:
        report(django, error)
        return failed(django.method == "HEAD")
    return finish(django, Answer(0), lambda: value, is_async=True)


async def handled(django: HttpRequest, call: Call, request: HatchRequest, answer: Live) -> object:
    """The handler; an exception after it has begun to answer can only be reported, and cuts the answer."""
    try:
        return await call.route.handler(request, **call.parameters)
    except Exception as error:
        if answer.progress == Progress.WAITING:
            raise
        if not (answer.gone and isinstance(error, OSError)):
            report(django, error)
        if answer.progress == Progress.STARTED:
            answer.abort()
    return None
