"""The dev overlay mounts the code: an edit is answered without a build."""

import os
import time
from pathlib import Path

import pytest

import stack
from visitor import Visitor

# Two seconds on a quiet machine; three containers start anew on whatever cores there are.
RELOADED_WITHIN = 4.0  # seconds
PAGE = """
from django.http import HttpResponse
urlpatterns.insert(0, path("edited/", lambda request: HttpResponse("{number}")))
"""


@pytest.fixture
def edited(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The stack runs from a copy, so that the edit stays there."""
    monkeypatch.setenv("COMPOSE_FILE", os.pathsep.join(["compose.yaml", "compose/dev.yaml"]))
    monkeypatch.setenv("DEV_USER", stack.USER)
    (project / ".tools").symlink_to(stack.ROOT / ".tools")
    stack.run("bin/secrets.py", cwd=project)
    try:
        stack.up("--build", root=project)
        yield project / stack.SLUG / "urls.py"
    finally:  # before the copy goes: Docker would make its folder anew for a container that restarts
        stack.compose("down", "--volumes", "--timeout", 5, root=project)


def test_edits_are_seen(edited: Path) -> None:
    """The quickest of three counts: what else this machine does is not the overlay's doing."""
    code, took = edited.read_text(), []
    with Visitor() as visitor:
        for number in "123":
            edited.write_text(code + PAGE.format(number=number))
            begin = time.monotonic()
            stack.wait_until("the edit is seen", lambda number=number: visitor.get("/edited/").text == number)
            took.append(time.monotonic() - begin)
    assert min(took) < RELOADED_WITHIN, took
