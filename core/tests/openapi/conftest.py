"""Settings of the tests in this folder. They run in a pytest process of their own."""

import sys
import tempfile
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    AUTH_USER_MODEL="auth.User",
    INSTALLED_APPS=[
        "django_rivet",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "everything",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": f"{tempfile.mkdtemp(prefix='rivet-openapi-')}/test.sqlite3",
        }
    },
    ROOT_URLCONF=__name__,
    SECRET_KEY="for these tests only",
)
urlpatterns: list[object] = []
sys.path.insert(0, str(Path(__file__).parent))
django.setup()
call_command("migrate", verbosity=0)
