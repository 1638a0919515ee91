"""Users, and throttles that begin anew."""

import pytest
from django.core.cache import cache
from django.core.management import call_command

from configured import configure

configure("django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions")

from django.contrib.auth.models import User  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def tables() -> None:
    """Made once."""
    call_command("migrate", verbosity=0)


@pytest.fixture(scope="session")
def ada(tables: None) -> User:
    """A user like others."""
    return User.objects.create_user("ada", password="secret")


@pytest.fixture(scope="session")
def staff(tables: None) -> User:
    """One of the staff."""
    return User.objects.create_user("grace", password="secret", is_staff=True)


@pytest.fixture(autouse=True)
def no_counts() -> None:
    """Throttles begin anew."""
    cache.clear()
