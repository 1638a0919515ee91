"""The three servers: each is started once, for all tests."""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import django
import pytest

from three import COMMANDS, Server, serving

sys.path.insert(0, str(Path(__file__).parent / "site"))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hatch_settings")
django.setup()


@pytest.fixture(scope="session")
def servers() -> Iterator[Callable[[str], Server]]:
    """Gives a server by its name."""
    running: dict[str, Server] = {}
    with contextlib.ExitStack() as stack:

        def get(name: str) -> Server:
            if name not in running:
                running[name] = stack.enter_context(serving(name))
            return running[name]

        yield get


@pytest.fixture(params=list(COMMANDS))
def server(request: pytest.FixtureRequest, servers: Callable[[str], Server]) -> Server:
    """Each of the three in turn."""
    return servers(request.param)


@pytest.fixture(params=["runrivet", "uvicorn"])
def socket_server(request: pytest.FixtureRequest, servers: Callable[[str], Server]) -> Server:
    """Those that can serve WebSockets."""
    return servers(request.param)


@pytest.fixture
def three(record_property: Callable[[str, object], None]) -> None:
    """Counts the test under the name that `make conformance` shows."""
    record_property("suite", "three-servers")
