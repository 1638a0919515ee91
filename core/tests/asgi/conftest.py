"""Settings of the tests in this folder. They run in a pytest process of their own."""

import django
from django.conf import settings

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1", "example.com", ".example.org"],
    CSRF_TRUSTED_ORIGINS=["https://shop.example.net", "https://*.partner.example"],
    INSTALLED_APPS=["django_rivet"],
    CHANNEL_LAYERS={"default": {"BACKEND": "channels.layers.InMemoryChannelLayer", "CONFIG": {"capacity": 10_000}}},
    DATABASES={},
    STATIC_URL="static/",
)
django.setup()
