"""Django views for native paths."""

import functools
from collections.abc import Callable
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.decorators import login_not_required
from django.db import connections, transaction
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from django_rivet import conf, cors
from django_rivet.api.errors import HTTPError
from django_rivet.hatch import loop, wsgi
from django_rivet.hatch.exchange import Later, blocking, handling, refused
from django_rivet.hatch.request import raw_path, too_large
from django_rivet.hatch.response import plain, problem
from django_rivet.hatch.served import options_for
from django_rivet.hatch.table import Call, Entry, call

HANDSHAKE = "Only WebSockets are served here."
UPGRADE = [("Sec-WebSocket-Version", "13"), ("Upgrade", "websocket"), ("Connection", "Upgrade")]
NO_WEBSOCKETS = "WebSockets need runrivet or an ASGI server behind django_rivet.hatch.NativeApplication.\n"


def view(entry: Entry) -> Callable[..., Any]:
    """The view for all methods of a path: a coroutine function where one of its handlers is.

    What a project's own views are asked for by default (CSRF tokens, a login, ATOMIC_REQUESTS), native handlers are
    not: they see to it themselves, under every server.
    """
    is_async = any(route.kind.startswith("async") for method, route in entry.routes.items() if method != "WEBSOCKET")
    made = functools.partial(_answer_async if is_async else _answer, entry)
    function = _coroutine(made, cors.policy()) if is_async else _plain(made, cors.policy())
    function.__name__ = function.__qualname__ = f"native {entry.path}"
    for alias in connections:
        function = transaction.non_atomic_requests(using=alias)(function)
    return csrf_exempt(login_not_required(function))


def _plain(answer: Callable[..., Any], shared: cors.Policy | None) -> Callable[..., Any]:
    def native(request: HttpRequest, **values: str) -> HttpResponseBase:
        if asked := cors.preflight(shared, request):
            return asked
        return cors.add(shared, request, answer(request, values))

    return native


def _coroutine(answer: Callable[..., Any], shared: cors.Policy | None) -> Callable[..., Any]:
    async def native(request: HttpRequest, **values: str) -> HttpResponseBase:
        if asked := cors.preflight(shared, request):
            return asked
        return cors.add(shared, request, await answer(request, values))

    return native


def _answer(entry: Entry, request: HttpRequest, values: dict[str, str]) -> HttpResponseBase:
    options = _route_options(entry, request)
    found: Call | Later | HttpResponseBase = _find(entry, request, values, options)
    if isinstance(found, Call):
        found = blocking(request, found, options, is_async=False)
    return wsgi.live(request, found, options) if isinstance(found, Later) else found


async def _answer_async(entry: Entry, request: HttpRequest, values: dict[str, str]) -> HttpResponseBase:
    options = _route_options(entry, request)
    under_asgi = hasattr(request, "scope")
    found: Call | Later | HttpResponseBase = _find(entry, request, values, options)
    if isinstance(found, Call):
        if found.route.kind.startswith("async"):
            try:
                found = handling(request, found, options)
            except HTTPError as error:
                return refused(request, error)
        else:
            found = await sync_to_async(blocking)(request, found, options, is_async=under_asgi)
    if not isinstance(found, Later):
        return found
    if under_asgi:
        return await loop.live(request, found, options)
    return await sync_to_async(wsgi.live)(request, found, options)


def _route_options(entry: Entry, request: HttpRequest) -> conf.Options:
    route = entry.route(request.method or "")
    return options_for(route.limits.max_body if route else None)


def _find(entry: Entry, request: HttpRequest, values: dict[str, str], options: conf.Options) -> Call | HttpResponseBase:
    """Who answers, or the answer that there is nobody."""
    method = request.method or ""
    head_only = method == "HEAD"
    if entry.websocket and request.META.get("HTTP_UPGRADE", "").lower() == "websocket":
        return plain(501, NO_WEBSOCKETS, head_only)
    route = entry.route(method)
    if route is None and method == "OPTIONS":
        return plain(204, "", head_only, ("Allow", entry.allow()))
    if route is None and entry.websocket and method in ("GET", "HEAD") and _can_upgrade(request):
        # RFC 9110 15.5.22.
        return problem(HTTPError(426, HANDSHAKE, headers=UPGRADE), head_only)
    if route is None:
        return problem(HTTPError(405, headers=[("Allow", entry.allow())]), head_only)
    length = request.META.get("CONTENT_LENGTH") or ""
    if length.isdigit() and int(length) > options.max_body:
        return refused(request, too_large())
    return call(route, _values(entry, request) if values else ())


def _can_upgrade(request: HttpRequest) -> bool:
    """WSGI has no WebSockets, and HTTP/2 begins them in another way (RFC 8441)."""
    return getattr(request, "scope", {}).get("http_version") == "1.1"


def _values(entry: Entry, request: HttpRequest) -> list[str]:
    """From the path as it was sent, where an escaped slash is no slash: its last segments, behind a script's name."""
    values = entry.values(raw_path(request).split(b"/")[-len(entry.segments) :])
    if values is None:
        raise Http404("no native path, as it was sent")
    return values
