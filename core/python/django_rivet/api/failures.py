"""What an exception is answered with, where no handler of exceptions takes it."""

import logging

from django.conf import settings

from django_rivet._core import Request, WebSocket
from django_rivet.api.errors import HTTPError, http_error
from django_rivet.api.returned import WrongReturn
from django_rivet.django import answer as django_answer
from django_rivet.django.request import RivetRequest

logger = logging.getLogger("django_rivet")


def respond_error(request: Request, error: Exception) -> None:
    """Problem details for what the error means; 500 is logged, and shows Django's debug page where DEBUG is on."""
    problem = http_error(error)
    if problem is None:
        # It says where the handler is, which the traceback does not.
        traceback = None if isinstance(error, WrongReturn) else error.__traceback__
        logger.error("a handler failed", exc_info=(type(error), error, traceback))
        if settings.configured and settings.DEBUG and _debug_page(request, error):
            return
        problem = HTTPError(500)
    request.respond(problem.status, problem.fields, problem.body())


def refuse(socket: WebSocket, value: None, error: Exception) -> bool:
    """The `settle` of WebSockets: answers the handshake with problem details for what an error means.

    False, without an answer, for a failure of ours.
    """
    problem = http_error(error)
    if problem is not None:
        socket.deny(problem.status, problem.fields, problem.body())
    return problem is not None


def _debug_page(request: Request, error: Exception) -> bool:
    """Answers with Django's page; False when it cannot be made."""
    from django.views.debug import technical_500_response

    try:
        page = technical_500_response(RivetRequest(request), type(error), error, error.__traceback__)
    except Exception:
        logger.exception("the debug page could not be made")
        return False
    django_answer.send_whole(request, page)
    return True
