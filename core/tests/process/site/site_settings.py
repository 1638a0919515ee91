"""Settings of the project that the process tests serve; SITE_* variables bring it into the states that tests need."""

import os

SECRET_KEY = "only for tests"
ALLOWED_HOSTS = os.environ.get("SITE_HOSTS", "127.0.0.1 localhost").split()
INSTALLED_APPS = ["django_rivet", "site_app"]
ROOT_URLCONF = os.environ.get("SITE_URLS", "site_urls")
DATA_UPLOAD_MAX_MEMORY_SIZE = None
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = os.environ.get("SITE_STATIC")
if os.environ.get("SITE_ASGI"):
    ASGI_APPLICATION = os.environ["SITE_ASGI"]
if os.environ.get("SITE_INLINE"):
    RIVET_INLINE = os.environ["SITE_INLINE"]
if os.environ.get("SITE_DATABASE"):
    DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["SITE_DATABASE"]}}
