"""Ways to cut: each is a context, within which the wire is cut."""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import stack

FOLDER = stack.ROOT / ".tools/cut"

# Services that run as a cut wants them: the next `up` puts them right, whichever cut or check that is for.
altered: set[str] = set()


def up(services: set[str]) -> None:
    stack.compose("up", "--detach", "--no-deps", "--wait", "--wait-timeout", 120, *sorted(services), timeout=150)


def heal() -> None:
    if altered:
        up(altered)
        altered.clear()


@contextmanager
def told(variables: dict[str, str] | None = None, **services: dict[str, Any]) -> Iterator[None]:
    """Compose is told otherwise: by variables, or by an overlay that names services."""
    names = {name.replace("_", "-") for name in services}
    FOLDER.mkdir(parents=True, exist_ok=True)
    overlay = FOLDER / "overlay.json"
    overlay.write_text(json.dumps({"services": {name.replace("_", "-"): what for name, what in services.items()}}))
    before = dict(os.environ)
    os.environ.update(variables or {})
    os.environ["COMPOSE_FILE"] += f"{os.pathsep}{overlay}"
    try:
        up(names | altered)
        altered.clear()
        yield
    finally:
        altered.update(names)
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def patched(service: str, source: str, target: str, right: str, wrong: str) -> Iterator[None]:
    """One file of the service is another: what matches `right` has become `wrong`."""
    text, found = re.subn(right, wrong, (stack.ROOT / source).read_text(), flags=re.MULTILINE)
    assert found, f"{source} has no {right!r} to cut"
    FOLDER.mkdir(parents=True, exist_ok=True)
    # Named by its content: Compose takes a service for unchanged whose file has the name it had.
    copy = FOLDER / f"{Path(source).name}.{sha256(text.encode()).hexdigest()[:12]}"
    copy.write_text(text)
    copy.chmod(0o644)
    with told(**{service: {"volumes": [f"{copy}:{target}:ro"]}}):
        yield


@contextmanager
def stopped(service: str) -> Iterator[None]:
    heal()
    with stack.stopped(service):
        yield


@contextmanager
def silent(service: str) -> Iterator[None]:
    """Stopped for so long that nobody's heartbeat is fresh."""
    with stopped(service):
        age = "from django.apps import apps; from django.utils import timezone\n"
        age += "result = (timezone.now() - apps.get_model('health.Heartbeat').objects.get(name='worker').at).seconds"
        stack.wait_until("the last heartbeat is old", lambda: stack.django(age) > 35, 90)
        yield


@contextmanager
def sql(wrong: str, right: str) -> Iterator[None]:
    """The superuser's word."""
    heal()
    psql = ("exec", "-T", "postgres", "psql", "-q", "-U", "postgres", "-d", "app", "-c")
    stack.compose(*psql, wrong)
    try:
        yield
    finally:
        stack.compose(*psql, right)


@contextmanager
def connected(service: str, network: str) -> Iterator[None]:
    """On a network where it does not belong."""
    heal()
    box, name = stack.containers(service)[0]["Id"], f"{stack.PROJECT}_{network}"
    stack.docker("network", "connect", name, box)
    try:
        yield
    finally:
        stack.docker("network", "disconnect", name, box)


@contextmanager
def opened(secret: str) -> Iterator[None]:
    """A secret's file that others may write."""
    heal()
    path = stack.ROOT / "secrets" / secret
    path.chmod(0o666)
    try:
        yield
    finally:
        path.chmod(0o644)
