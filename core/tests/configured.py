"""Sets Django up for the tests of one folder, which run in a pytest process of their own."""

import tempfile
from typing import Any

import django
from django.conf import settings

urlpatterns: list[object] = []


def configure(*apps: str, **others: Any) -> None:
    """The settings: these apps beside django_rivet, a database in a file, no URLs, and what else a folder needs."""
    database = f"{tempfile.mkdtemp(prefix='rivet-')}/test.sqlite3"
    usual: dict[str, Any] = {
        "ALLOWED_HOSTS": ["127.0.0.1", "testserver"],
        "DATABASES": {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": database}},
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        "INSTALLED_APPS": ["django_rivet", *apps],
        "PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"],
        "ROOT_URLCONF": __name__,
        "SECRET_KEY": "only for tests",
        "USE_TZ": True,
    }
    settings.configure(**usual | others)
    django.setup()
