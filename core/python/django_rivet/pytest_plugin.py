"""pytest fixtures, there by themselves where django-rivet and pytest are installed."""

from collections.abc import Generator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from django_rivet.testing import AsyncClient, Client


def _databases_first(request: pytest.FixtureRequest) -> None:
    """What pytest-django sets up for the test ends after our server, so it has to begin before."""
    for name in ("db", "transactional_db"):
        if name in request.fixturenames:
            request.getfixturevalue(name)


@pytest.fixture
def rivet_client(request: pytest.FixtureRequest) -> Generator["Client"]:
    """A `django_rivet.testing.Client`, closed after the test."""
    from django_rivet.testing import Client

    _databases_first(request)
    with Client() as client:
        yield client


@pytest.fixture
def async_rivet_client(request: pytest.FixtureRequest) -> Generator["AsyncClient"]:
    """A `django_rivet.testing.AsyncClient`, closed after the test; for any plugin that runs async tests."""
    from django_rivet.testing import AsyncClient

    _databases_first(request)
    client = AsyncClient()
    yield client
    client._stop()
