"""Settings of the tests in this folder. They run in a pytest process of their own."""

import django
from django.conf import settings

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    INSTALLED_APPS=["django_rivet"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    ROOT_URLCONF=__name__,
    SECRET_KEY="for these tests only",
)
urlpatterns: list[object] = []
django.setup()
