"""The settings of CORS, by the names of django-cors-headers, and their defaults."""

from typing import Any

from django.conf import settings

DEFAULTS: dict[str, Any] = {
    "CORS_ALLOWED_ORIGINS": (),
    "CORS_ALLOWED_ORIGIN_REGEXES": (),
    "CORS_ALLOW_ALL_ORIGINS": False,
    "CORS_ALLOW_METHODS": ("DELETE", "GET", "OPTIONS", "PATCH", "POST", "PUT"),
    "CORS_ALLOW_HEADERS": (
        "accept",
        "authorization",
        "content-type",
        "user-agent",
        "x-csrftoken",
        "x-requested-with",
    ),
    "CORS_EXPOSE_HEADERS": (),
    "CORS_ALLOW_CREDENTIALS": False,
    "CORS_PREFLIGHT_MAX_AGE": 86_400,
    "CORS_URLS_REGEX": r"^.*$",
    "CORS_ALLOW_PRIVATE_NETWORK": False,
}
# Names of earlier versions, which the package still reads.
FORMER = {
    "CORS_ALLOWED_ORIGINS": "CORS_ORIGIN_WHITELIST",
    "CORS_ALLOWED_ORIGIN_REGEXES": "CORS_ORIGIN_REGEX_WHITELIST",
    "CORS_ALLOW_ALL_ORIGINS": "CORS_ORIGIN_ALLOW_ALL",
}


def setting(name: str) -> Any:
    """What the project's settings say, else the default."""
    return getattr(settings, name, getattr(settings, FORMER.get(name, ""), DEFAULTS[name]))
