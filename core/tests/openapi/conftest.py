"""Settings of the tests in this folder."""

import sys
from pathlib import Path

from django.core.management import call_command

from configured import configure

sys.path.insert(0, str(Path(__file__).parent))
configure(
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "everything",
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
)
call_command("migrate", verbosity=0)
