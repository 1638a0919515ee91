import uuid
from datetime import datetime, timedelta

from django.db import models
from django.utils import timezone

GRACE = timedelta(seconds=10)  # for the message sent at commit, before the sweeper sends another
MAX_ATTEMPTS = 8


def after_grace() -> datetime:
    return timezone.now() + GRACE


class JobQuerySet(models.QuerySet["Job"]):
    def open(self) -> "JobQuerySet":
        """Neither done nor given up."""
        return self.filter(done_at=None, failed_at=None)

    def lock(self) -> "JobQuerySet":
        """Lock the rows, leaving out those that another worker holds."""
        return self.select_for_update(skip_locked=True)


class Job(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    args = models.JSONField(default=list)
    created = models.DateTimeField(auto_now_add=True)
    due = models.DateTimeField(default=after_grace, help_text="When the sweeper sends the next message for it.")
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.CharField(max_length=200, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True, help_text="When it was given up.")

    objects = JobQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["due"], name="outbox_open", condition=models.Q(done_at=None, failed_at=None))]

    def __str__(self) -> str:
        return f"{self.name} {self.id}"

    @property
    def is_open(self) -> bool:
        return self.done_at is None and self.failed_at is None
