"""Which part of a project's ASGI application goes to Django's views directly."""

import pytest
from channels.routing import ProtocolTypeRouter, URLRouter
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.asgi import get_asgi_application
from django.core.handlers.asgi import ASGIHandler

from django_rivet.asgi import split
from django_rivet.hatch import NativeApplication


class OwnHandler(ASGIHandler):
    """A project's own idea of HTTP."""


class OwnRouter(ProtocolTypeRouter):
    """A project's own idea of routing."""


async def application(scope, receive, send): ...


def test_django_alone():
    assert split(get_asgi_application()) == (True, None)


def test_channels_with_django():
    router = ProtocolTypeRouter({"http": get_asgi_application(), "websocket": URLRouter([])})
    assert split(router) == (True, router)


def test_what_is_for_other_servers_is_seen_through():
    assert split(NativeApplication(get_asgi_application())) == (True, None)
    router = ProtocolTypeRouter({"http": get_asgi_application(), "websocket": URLRouter([])})
    assert split(NativeApplication(router)) == (True, router)
    assert split(NativeApplication(application)) == (False, application)


@pytest.mark.parametrize(
    "whole",
    [
        application,
        OwnHandler(),
        ASGIStaticFilesHandler(get_asgi_application()),
        ProtocolTypeRouter({"http": application}),
        ProtocolTypeRouter({"http": OwnHandler()}),
        ProtocolTypeRouter({"websocket": URLRouter([])}),
        OwnRouter({"http": get_asgi_application()}),
    ],
)
def test_everything_else_gets_everything(whole):
    assert split(whole) == (False, whole)
