"""The view is the one that Django's own resolver finds, whatever the middleware changes, and every time anew."""

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.test import Client, override_settings

import fake
from django_rivet.django import DjangoHandler, Pool
from django_rivet.django.routing import MOST_MATCHES

CHANGES = ["middlewares.OtherURLconf", "middlewares.OtherPath", "middlewares.Changes"]
TARGETS = [
    "/plain",
    "/plain?other",
    "/plain?number",
    "/extra",
    "/number/1",
    "/number/2",
    "/any/thing/else",
    "/in/side",
    "/user/ann",
    "/user/nobody",
    "/nothing",
    "/nothing?number",
    "/de/Startseite",
    "/en/Home",
    "/de/Home",
    "/Home",
]


@pytest.fixture(params=["always", "never"])
def handler(request: pytest.FixtureRequest, engine: fake.Engine, sessions: dict[str, str]) -> Iterator[DjangoHandler]:
    pool = Pool(2)
    with override_settings(ROOT_URLCONF="routed", MIDDLEWARE=[*settings.MIDDLEWARE, *CHANGES]):
        yield DjangoHandler(pool, inline=request.param)
        engine.close()
    assert pool.close(10)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("language", ["en", "de"])
def test_same_as_django(target: str, language: str, handler: DjangoHandler, engine: fake.Engine) -> None:
    with override_settings(DEBUG_PROPAGATE_EXCEPTIONS=False):
        theirs = Client(raise_request_exception=False).get(target, headers={"accept-language": language})
    for _ in range(3):
        ours = engine.ask(handler, "GET", target, [("host", "testserver"), ("accept-language", language)])
        assert (ours.status, ours.sent.decode()) == (theirs.status_code, theirs.content.decode())


@pytest.fixture
def fixed(engine: fake.Engine, sessions: dict[str, str]) -> Iterator[DjangoHandler]:
    """A URLconf whose matches are kept."""
    pool = Pool(1)
    with override_settings(ROOT_URLCONF="fixed", MIDDLEWARE=[*settings.MIDDLEWARE, *CHANGES]):
        yield DjangoHandler(pool, inline="always")
        engine.close()
    assert pool.close(10)


@pytest.mark.parametrize("target", ["/plain", "/extra", "/number/1", "/any/thing", "/in/side", "/nothing"])
def test_kept_matches(target: str, fixed: DjangoHandler, engine: fake.Engine) -> None:
    theirs = Client(raise_request_exception=False).get(target)
    for _ in range(3):
        ours = engine.ask(fixed, "GET", target, [("host", "testserver")])
        assert (ours.status, ours.sent.decode()) == (theirs.status_code, theirs.content.decode())


def test_kept_matches_are_bounded(fixed: DjangoHandler, engine: fake.Engine) -> None:
    for number in range(MOST_MATCHES + 10):
        assert engine.ask(fixed, "GET", f"/any/{number}", [("host", "testserver")]).status == 200
    (urlconf,) = fixed.routes._urlconfs.values()
    assert len(urlconf.matches) == MOST_MATCHES
