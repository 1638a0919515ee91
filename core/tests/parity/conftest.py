"""Settings of the tests in this folder, users with sessions, and an engine that is none."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command

from configured import configure

sys.path.insert(0, str(Path(__file__).parent / "site"))
configure(
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF="views",
    LANGUAGES=[("en", "English"), ("de", "Deutsch"), ("fr", "Français")],
    LANGUAGE_CODE="en",
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.locale.LocaleMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
)

import fake  # noqa: E402  # after the settings


@pytest.fixture(scope="session")
def sessions() -> dict[str, str]:
    """Session keys by user name."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.auth.models import User
    from django.contrib.sessions.backends.db import SessionStore

    call_command("migrate", verbosity=0)
    keys = {}
    for name in ("ann", "bob", "cid", "dora"):
        user = User.objects.create_user(name)
        store = SessionStore()
        store[SESSION_KEY] = str(user.pk)
        store[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
        store[HASH_SESSION_KEY] = user.get_session_auth_hash()
        store.save()
        keys[name] = str(store.session_key)
    return keys


@pytest.fixture
def engine() -> Iterator[fake.Engine]:
    engine = fake.Engine()
    yield engine
    if not engine.loop.is_closed():
        engine.close()
