"""Settings and databases of the tests in this folder. They run in a pytest process of their own."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "site"))
os.environ["DJANGO_SETTINGS_MODULE"] = "orders_settings"

import django  # noqa: E402

django.setup()

from django.db import transaction  # noqa: E402
from django.test.utils import (  # noqa: E402
    setup_databases,
    setup_test_environment,
    teardown_databases,
    teardown_test_environment,
)

from django_rivet.testing.databases import Sharing  # noqa: E402

pytest_plugins = ["django_rivet.pytest_plugin"]


@pytest.fixture(scope="session", autouse=True)
def databases() -> Iterator[None]:
    """As Django's test runner makes them."""
    setup_test_environment()
    made = setup_databases(verbosity=0, interactive=False)
    yield
    teardown_databases(made, verbosity=0)
    teardown_test_environment()


@pytest.fixture
def db() -> Iterator[None]:
    """As pytest-django's: the test is in a transaction that is rolled back."""
    with transaction.atomic():
        yield
        assert not Sharing._active, "the server ends before the transaction"
        transaction.set_rollback(True)
