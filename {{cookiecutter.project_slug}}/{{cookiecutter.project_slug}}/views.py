from typing import Any

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def site(request: HttpRequest) -> dict[str, Any]:
    """Give each template the name of the site and its main navigation."""
    return {"SITE_NAME": settings.SITE_NAME, "NAVIGATION": settings.NAVIGATION}


def home(request: HttpRequest) -> HttpResponse:
    """Say what runs."""
    wires = [
        {"name": "Database", "what": connection.display_name},
        {"name": "Cache", "what": _kind(settings.CACHES["default"]["BACKEND"])},
        {"name": "Channel layer", "what": _kind(settings.CHANNEL_LAYERS["default"]["BACKEND"])},
        {"name": "Tasks", "what": "eager" if settings.CELERY_TASK_ALWAYS_EAGER else "Celery"},
        {"name": "Files", "what": _kind(settings.STORAGES["default"]["BACKEND"])},
    ]
    return render(request, "home.html", {"wires": wires})


def _kind(path: str) -> str:
    return path.rpartition(".")[2]
