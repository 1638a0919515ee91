"""Settings of the tests in this folder. They run in a pytest process of their own."""

import tempfile

import django
from django.conf import settings

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1", "testserver"],
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django_rivet",
    ],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": f"{tempfile.mkdtemp(prefix='rivet-auth-')}/test.sqlite3",
        }
    },
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="for these tests only",
    USE_TZ=True,
)
urlpatterns: list[object] = []
django.setup()

import pytest  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.core.cache import cache  # noqa: E402
from django.core.management import call_command  # noqa: E402


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
