"""The Django app `django_rivet`."""

from django.apps import AppConfig
from django.core.checks import register


class RivetConfig(AppConfig):
    """Brings the command `runrivet` and the system checks of native handlers."""

    name = "django_rivet"
    verbose_name = "Rivet"

    def ready(self) -> None:
        """Registers the checks; they import the `api` modules only when they run."""
        from django_rivet.checks import check_routes
        from django_rivet.cors.checks import check_cors

        register(check_routes)
        register(check_cors)
