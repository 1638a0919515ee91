from celery import shared_task
from django.core.management import call_command

from .models import Heartbeat


@shared_task(name="health.heartbeat")
def heartbeat() -> None:
    """Show that scheduler, broker, worker and database work together: /health/deep asks for its age."""
    Heartbeat.objects.update_or_create(name="worker")


@shared_task(name="health.clear_sessions")
def clear_sessions() -> None:
    """Delete expired sessions from the database."""
    call_command("clearsessions")
