"""Live: does this process answer? Ready: may it be given requests? Deep: does the product work as a whole?"""

from hmac import compare_digest

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from . import checks
from .probes import Probe, Told, ask

READY = {"database": Probe(checks.reads)}
DEEP = {
    check.__name__: Probe(check)
    for check in (
        checks.database,
        checks.cache,
        checks.broker,
        checks.channel_layer,
        checks.storage,
        checks.worker,
    )
}


@never_cache
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    return _answer(healthy=True)


@never_cache
@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    draining = settings.DRAIN_FILE.exists()
    return _answer(healthy=not draining and all(told is not None for told in ask(READY, seconds=1).values()))


@never_cache
@require_safe
def deep(request: HttpRequest) -> HttpResponse:
    """Only for those who send the token as X-Health-Token; to others the address does not exist."""
    if not compare_digest(request.headers.get("X-Health-Token", "").encode(), settings.HEALTH_TOKEN.encode()):
        return HttpResponse(status=404)
    answers = ask(DEEP, seconds=3)
    details = {name: {"status": _word(told is not None), **(told or {})} for name, told in answers.items()}
    return _answer(healthy=None not in answers.values(), checks=details)


def _answer(*, healthy: bool, **details: dict[str, Told]) -> JsonResponse:
    """Like https://datatracker.ietf.org/doc/html/draft-inadarei-api-health-check-06."""
    status = 200 if healthy else 503
    return JsonResponse({"status": _word(healthy), **details}, status=status, content_type="application/health+json")


def _word(healthy: bool) -> str:
    return "pass" if healthy else "fail"
