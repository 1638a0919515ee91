import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import django
import pytest
from django.conf import settings
from django.core.management import call_command

sys.path.insert(0, str(Path(__file__).parent / "site"))
DATABASE = os.path.join(tempfile.mkdtemp(prefix="rivet-parity-"), "db.sqlite3")

settings.configure(
    SECRET_KEY="for tests only" * 4,
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF="views",
    USE_I18N=True,
    LANGUAGES=[("en", "English"), ("de", "Deutsch"), ("fr", "Français")],
    LANGUAGE_CODE="en",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": DATABASE, "OPTIONS": {"timeout": 20}}},
    CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.messages",
    ],
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
django.setup()

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
