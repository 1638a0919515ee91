"""Who answers what: Django's own handler or the project's ASGI application."""

import sys
from typing import Any, NamedTuple

from django.core.handlers.asgi import ASGIHandler

from django_rivet.asgi.types import Application


class Split(NamedTuple):
    """The two who answer requests that no native route takes."""

    django: bool
    """HTTP goes to Django's views directly, by `django_rivet.django`."""
    application: Application | None
    """Takes WebSockets and lifespan, and HTTP too unless `django`. None: there is nothing but Django."""


def split(application: Any) -> Split:
    """Decides from the object that ASGI_APPLICATION names.

    Django's own handler (`get_asgi_application()`) adds nothing to what we do faster: HTTP goes to Django's views.
    So does the "http" entry of Channels' ProtocolTypeRouter when it is that handler; the router keeps the rest.
    `NativeApplication` is for other servers, and seen through.
    Anything else, a subclass or a wrapper too, is an application of its own and gets everything.
    """
    hatch = sys.modules.get("django_rivet.hatch.application")
    if hatch is not None and type(application) is hatch.NativeApplication:
        return split(application.application)
    if type(application) is ASGIHandler:
        return Split(django=True, application=None)
    routing = sys.modules.get("channels.routing")
    if routing is not None and type(application) is routing.ProtocolTypeRouter:
        return Split(
            django=type(application.application_mapping.get("http")) is ASGIHandler,
            application=application,
        )
    return Split(django=False, application=application)
