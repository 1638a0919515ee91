"""The Celery application, and the heartbeat files of its worker and its scheduler."""

import os
from pathlib import Path
from typing import Any

from celery import Celery, beat, bootsteps
from celery.signals import setup_logging
from django_structlog.celery.steps import DjangoStructLogInitStep

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "{{ cookiecutter.project_slug }}.settings")

HEARTBEAT = Path("/tmp/heartbeat")  # noqa: S108 - web/healthcheck looks at its age

app = Celery("{{ cookiecutter.project_slug }}")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_logging(**kwargs: Any) -> None:
    """Leave logging as the settings made it: Celery sets up its own unless somebody listens."""


class Heartbeat(bootsteps.StartStopStep):
    """Touches a file from the loop that also fetches tasks: a loop that hangs is noticed."""

    requires = ("celery.worker.components:Timer",)

    def start(self, worker: Any) -> None:
        worker.timer.call_repeatedly(2, HEARTBEAT.touch)


class Scheduler(beat.Scheduler):
    """Touches the file at each tick; keeps no state on disk, so that it runs on a read-only root."""

    def tick(self, *args: Any, **kwargs: Any) -> float:
        HEARTBEAT.touch()
        return super().tick(*args, **kwargs)


app.steps["worker"].update({Heartbeat, DjangoStructLogInitStep})
