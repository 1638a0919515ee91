import logging
import time
from datetime import timedelta
from uuid import UUID

from celery import shared_task
from django.db import transaction
from django.utils import timezone

from . import REGISTRY
from .models import MAX_ATTEMPTS, Job

BATCH = 500
KEEP = timedelta(days=7)  # how long a done job can be looked at
QUIET_SECONDS = 5

logger = logging.getLogger(__name__)
_quiet_until = 0.0


def back_off(attempts: int) -> timedelta:
    """Return how long to wait after so many attempts: 10 seconds, doubled each time, at most 10 minutes."""
    return timedelta(seconds=min(5 * 2**attempts, 600))


def publish(key: UUID) -> None:
    """Send the message for a job; without a broker it is left to the sweeper, and nobody waits for it."""
    global _quiet_until
    if time.monotonic() < _quiet_until:
        return
    try:
        run.apply_async((str(key),), retry=False)
    except Exception as error:  # noqa: BLE001 - whatever the transport raises: the job is safe in its row
        _quiet_until = time.monotonic() + QUIET_SECONDS
        logger.warning("no message for job %s, the sweeper will send it: %s", key, type(error).__name__)


@shared_task(name="outbox.run")
def run(key: str) -> None:
    """Do the job, unless it is done, given up or in another worker's hands."""
    job = _claim(key)
    if job is None:
        return
    try:
        with transaction.atomic():
            # Once more: the claim's own lock went with its transaction.
            if not Job.objects.open().lock().filter(pk=key).exists():
                return
            REGISTRY[job.name](*job.args)
            Job.objects.filter(pk=key).update(done_at=timezone.now(), last_error="")
    except Exception as error:
        logger.exception("job %s failed, attempt %d of %d", job, job.attempts, MAX_ATTEMPTS)
        job.last_error = f"{type(error).__name__}: {error}"[:200]
        job.failed_at = timezone.now() if job.attempts >= MAX_ATTEMPTS else None
        Job.objects.open().filter(pk=key).update(last_error=job.last_error, failed_at=job.failed_at)
    else:
        logger.info("job %s done", job)


def _claim(key: str) -> Job | None:
    """Count the attempt before it is made, so that a job that kills its worker is given up too."""
    with transaction.atomic():
        job = Job.objects.open().lock().filter(pk=key).first()
        if job is None:
            return None
        if job.attempts >= MAX_ATTEMPTS:
            job.failed_at = timezone.now()
            job.last_error = job.last_error or "its worker was lost each time"
            logger.error("job %s is given up", job)
        else:
            job.attempts += 1
            job.due = timezone.now() + back_off(job.attempts)
        job.save(update_fields=["attempts", "due", "failed_at", "last_error"])
        return job if job.is_open else None


@shared_task(name="outbox.sweep")
def sweep() -> None:
    """Send another message for each job that is due: its first one was lost, or it failed."""
    with transaction.atomic():
        jobs = list(Job.objects.open().lock().filter(due__lte=timezone.now()).order_by("due")[:BATCH])
        for job in jobs:
            job.due = timezone.now() + back_off(job.attempts + 2)
        Job.objects.bulk_update(jobs, ["due"])
    for job in jobs:
        publish(job.pk)


@shared_task(name="outbox.prune")
def prune() -> None:
    """Forget what was done a while ago; what failed stays until somebody has looked at it."""
    Job.objects.filter(done_at__lt=timezone.now() - KEEP).delete()
