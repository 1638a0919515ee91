"""Settings of the project under test: one database in a file, one in memory."""

import tempfile

SECRET_KEY = "only for tests"
ALLOWED_HOSTS: list[str] = []
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django_rivet",
    "orders",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
ROOT_URLCONF = "orders.urls"
FOLDER = tempfile.TemporaryDirectory()
DATABASES = {
    "default": {"ENGINE": "django.db.backends.sqlite3", "TEST": {"NAME": f"{FOLDER.name}/test.sqlite3"}},
    "memory": {"ENGINE": "django.db.backends.sqlite3"},
}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
