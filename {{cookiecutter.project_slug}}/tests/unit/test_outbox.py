import sys
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from outbox import REGISTRY, enqueue, job, tasks
from outbox.models import MAX_ATTEMPTS, Job

pytestmark = pytest.mark.django_db


@job
def welcome(name: str) -> None:
    """Its effect is a row."""
    get_user_model().objects.create(username=name)


@job
def breaks(name: str) -> None:
    get_user_model().objects.create(username=name)
    raise ValueError("x" * 1000)


def no_job() -> None: ...


def effects() -> int:
    return get_user_model().objects.count()


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The messages, of which none arrives."""
    keys: list[str] = []
    monkeypatch.setattr(tasks.run, "apply_async", lambda args, **options: keys.extend(args))
    monkeypatch.setattr(tasks, "_quiet_until", 0)
    return keys


def add(sent: list[str], function: Any = welcome, name: str = "ada") -> Job:
    enqueue(function, name)
    return Job.objects.get()


def test_a_job_is_done_after_the_commit(django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        enqueue(welcome, "ada")
        assert effects() == 0
    assert effects() == 1
    assert Job.objects.get().done_at


def test_a_job_goes_with_its_transaction(sent: list[str]) -> None:
    with transaction.atomic():
        enqueue(welcome, "ada")
        transaction.set_rollback(True)
    assert not Job.objects.exists()
    assert sent == []


def test_only_jobs_are_taken() -> None:
    with pytest.raises(LookupError, match="no_job is no job"):
        enqueue(no_job)


def test_two_messages_have_one_effect(sent: list[str]) -> None:
    row = add(sent)
    tasks.run(str(row.pk))
    tasks.run(str(row.pk))
    assert effects() == 1


def test_a_job_that_fails_leaves_nothing_and_is_tried_again(sent: list[str]) -> None:
    row = add(sent, breaks)
    tasks.run(str(row.pk))
    assert effects() == 0
    row.refresh_from_db()
    assert (row.attempts, row.done_at, row.failed_at) == (1, None, None)
    assert row.last_error.startswith("ValueError: xxx")
    assert row.due > timezone.now()


def test_a_job_that_goes_on_failing_is_given_up(sent: list[str]) -> None:
    row = add(sent, breaks)
    for _ in range(MAX_ATTEMPTS + 2):
        tasks.run(str(row.pk))
    row.refresh_from_db()
    assert row.attempts == MAX_ATTEMPTS
    assert row.failed_at
    make_due()
    tasks.sweep()
    assert sent == []


def test_a_job_that_kills_its_worker_is_given_up(sent: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    row = add(sent)
    monkeypatch.setitem(REGISTRY, row.name, lambda name: sys.exit())
    for _ in range(MAX_ATTEMPTS):
        with pytest.raises(SystemExit):
            tasks.run(str(row.pk))
    tasks.run(str(row.pk))
    row.refresh_from_db()
    assert row.failed_at


def test_a_job_that_no_longer_exists_fails(sent: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    row = add(sent)
    monkeypatch.delitem(REGISTRY, row.name)
    tasks.run(str(row.pk))
    row.refresh_from_db()
    assert row.last_error.startswith("KeyError")


def make_due() -> None:
    Job.objects.update(due=timezone.now() - timedelta(seconds=1))


def test_the_sweeper_sends_what_is_due_and_once(sent: list[str]) -> None:
    row = add(sent)
    tasks.sweep()
    assert sent == [], "its first message may still arrive"
    make_due()
    tasks.sweep()
    tasks.sweep()
    assert sent == [str(row.pk)]


def test_a_broker_that_is_down_fails_nobody(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    """And is left alone for a while."""
    asked: list[str] = []

    def refuse(args: list[str], **options: Any) -> None:
        asked.extend(args)
        raise ConnectionRefusedError

    monkeypatch.setattr(tasks, "_quiet_until", 0)
    monkeypatch.setattr(tasks.run, "apply_async", refuse)
    with django_capture_on_commit_callbacks(execute=True):
        enqueue(welcome, "ada")
        enqueue(welcome, "eve")
    assert len(asked) == 1
    assert Job.objects.open().count() == 2


def test_old_jobs_are_forgotten_unless_they_failed(sent: list[str]) -> None:
    old = timezone.now() - timedelta(days=30)
    Job.objects.create(name="done", done_at=old)
    Job.objects.create(name="failed", failed_at=old)
    Job.objects.create(name="new", done_at=timezone.now())
    tasks.prune()
    assert {row.name for row in Job.objects.all()} == {"failed", "new"}
