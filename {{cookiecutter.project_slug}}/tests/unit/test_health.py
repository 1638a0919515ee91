import time
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test import Client
from pytest_django import Settings

from tests.unit.production import PACKAGE

views = import_module(f"{PACKAGE}.health.views")
probes = import_module(f"{PACKAGE}.health.probes")
checks = import_module(f"{PACKAGE}.health.checks")


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path) -> None:
    """No answer is kept from the test before."""
    settings.DRAIN_FILE = tmp_path / "draining"
    for name in ("READY", "DEEP"):
        kept = {key: probes.Probe(probe._check) for key, probe in getattr(views, name).items()}
        monkeypatch.setattr(views, name, kept)


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def break_it(group: str, name: str, check: Callable[[], Any]) -> None:
        monkeypatch.setitem(getattr(views, group), name, probes.Probe(check))

    return break_it


@pytest.fixture
def hanging() -> Iterator[Callable[[], None]]:
    release = Event()

    def hang() -> None:
        release.wait(10)

    yield hang
    release.set()


def fails() -> None:
    raise DatabaseError("password=secret")


def test_live_needs_nothing(client: Client) -> None:
    """Without the mark for it, a query would be an error."""
    answer = client.get("/health/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "pass"})
    assert answer["Content-Type"] == "application/health+json"
    assert "no-store" in answer["Cache-Control"]
    assert not answer.cookies


@pytest.mark.django_db(transaction=True)
def test_ready(client: Client) -> None:
    assert client.get("/health/ready").status_code == 200


def test_not_ready_without_a_database(client: Client, broken: Callable[..., None]) -> None:
    broken("READY", "database", fails)
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()) == (503, {"status": "fail"})


@pytest.mark.django_db(transaction=True)
def test_not_ready_while_draining(client: Client, settings: Settings) -> None:
    settings.DRAIN_FILE.touch()
    assert client.get("/health/ready").status_code == 503
    settings.DRAIN_FILE.unlink()
    assert client.get("/health/ready").status_code == 200


def test_a_database_that_hangs_is_asked_once_and_not_waited_for(
    client: Client, broken: Callable[..., None], hanging: Callable[[], None]
) -> None:
    asked = []

    def check() -> None:
        asked.append(1)
        hanging()

    broken("READY", "database", check)
    begin = time.monotonic()
    assert client.get("/health/ready").status_code == 503
    assert client.get("/health/ready").status_code == 503
    assert 2 <= time.monotonic() - begin < 5
    assert len(asked) == 1
    assert client.get("/health/live").status_code == 200


@pytest.mark.parametrize("headers", [{}, {"X-Health-Token": "wrong"}, {"X-Health-Token": "é"}])
def test_deep_is_hidden(client: Client, headers: dict[str, str]) -> None:
    answer = client.get("/health/deep", headers=headers)
    assert (answer.status_code, answer.content) == (404, b"")


def deep(client: Client, settings: Settings) -> Any:
    return client.get("/health/deep", headers={"X-Health-Token": settings.HEALTH_TOKEN})


@pytest.mark.django_db(transaction=True)
def test_deep_asks_every_wire(client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(views.DEEP, "storage", probes.Probe(lambda: {"backend": "none"}))
    answer = deep(client, settings)
    told = answer.json()["checks"]
    assert {name: check["status"] for name, check in told.items()} == dict.fromkeys(
        ("database", "cache", "broker", "channel_layer", "storage", "worker"), "pass"
    )
    assert answer.status_code == 200
    assert told["cache"]["backend"] == settings.CACHES["default"]["BACKEND"]
    assert told["channel_layer"]["backend"] == settings.CHANNEL_LAYERS["default"]["BACKEND"]


@pytest.mark.parametrize("name", ["database", "cache", "broker", "channel_layer", "storage", "worker"])
def test_deep_fails_with_each_wire_and_tells_no_reason(
    client: Client, settings: Settings, broken: Callable[..., None], name: str
) -> None:
    for other in views.DEEP:
        broken("DEEP", other, dict)
    broken("DEEP", name, fails)
    answer = deep(client, settings)
    assert answer.status_code == 503
    assert answer.json()["checks"][name] == {"status": "fail"}
    assert b"secret" not in answer.content


@pytest.mark.django_db
def test_an_old_heartbeat_fails(settings: Settings) -> None:
    settings.CELERY_TASK_ALWAYS_EAGER = False
    import_module(f"{PACKAGE}.health.tasks").heartbeat()
    assert checks.worker()["observedValue"] < checks.MAX_AGE_SECONDS
    with connection.cursor() as cursor:
        cursor.execute("UPDATE health_heartbeat SET at = '2000-01-01 00:00:00'")
    with pytest.raises(checks.Failed):
        checks.worker()
