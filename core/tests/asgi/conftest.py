"""Settings of the tests in this folder."""

from configured import configure

configure(
    ALLOWED_HOSTS=["127.0.0.1", "example.com", ".example.org"],
    CSRF_TRUSTED_ORIGINS=["https://shop.example.net", "https://*.partner.example"],
    CHANNEL_LAYERS={"default": {"BACKEND": "channels.layers.InMemoryChannelLayer", "CONFIG": {"capacity": 10_000}}},
    DATABASES={},
    STATIC_URL="static/",
)
