"""One project on every server: BENCH_NATIVE names the app with the native handlers, BENCH_DATABASE the database."""

import os

SECRET_KEY = "benchmark-" * 6
DEBUG = False
ALLOWED_HOSTS = ["*"]
NATIVE = {"rivet": ["django_rivet", "native_rivet"], "bolt": ["django_bolt", "native_bolt"], "": []}
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "shop",
    *NATIVE[os.environ.get("BENCH_NATIVE", "")],
]
BOLT_API = ["native_bolt.api:api"]
# Those of `django-admin startproject`.
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "project.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
DATABASE = {
    "sqlite": {"ENGINE": "django.db.backends.sqlite3", "NAME": "/bench/data/bench.sqlite3"},
    # Through PgBouncer in transaction mode, which knows no server-side cursors.
    "postgres": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": "127.0.0.1",
        "PORT": "6432",
        "NAME": "bench",
        "USER": "bench",
        "DISABLE_SERVER_SIDE_CURSORS": True,
    },
}
DATABASES = {"default": DATABASE[os.environ.get("BENCH_DATABASE", "sqlite")] | {"CONN_MAX_AGE": 600}}
STATIC_URL = "/static/"
STATIC_ROOT = "/bench/data/static"
# Without it django-bolt would log each request by Python's logging, at a third of its speed.
LOGGING = {"version": 1, "disable_existing_loggers": True}
