"""System checks: https://docs.djangoproject.com/en/stable/topics/checks/"""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Warning

from django_rivet.discovery import conflicts, discover, forgotten


def check_routes(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """E001: two native handlers for the same method and path. W001: a router that no API includes."""
    unused: list[CheckMessage] = [
        Warning(
            f"The router {name} serves nothing: no API includes it.",
            hint="Call include() of an API with it, or make it an API.",
            obj=name,
            id="django_rivet.W001",
        )
        for name in forgotten()
    ]
    return unused + [
        Error(
            f"Two native handlers take the same requests: {first} and {second}.",
            hint="Give one of them another path, or its API another prefix.",
            obj=f"{second.file}:{second.line}",
            id="django_rivet.E001",
        )
        for first, second in conflicts(discover())
    ]
