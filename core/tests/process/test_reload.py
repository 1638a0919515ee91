"""Development: a change of the project's files starts it anew, and nobody who asks meanwhile is refused."""

import os
import shutil
import signal
import time
from pathlib import Path

import pytest

from django_rivet.server import reload
from process_load import Load
from process_server import SITE, Server
from waiting import until


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the site, to be edited."""
    return shutil.copytree(SITE, tmp_path / "site", ignore=shutil.ignore_patterns("__pycache__"))


def edit(project: Path, name: str, old: str, new: str) -> None:
    path = project / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_change_serves_and_nobody_is_refused(processes: str, project: Path) -> None:
    with Server("--reload", "--processes", processes, site=project) as server:
        before = {str(pid) for pid in server.workers()}
        load = Load(server.port, 4, keep=1, seconds=0.1).start()
        until(lambda: load.result.answered > 20, "the load runs")
        edit(project, "site_urls.py", 'HttpResponse(f"{name} {os.getpid()}")', 'HttpResponse(f"{name} anew")')
        until(lambda: "anew" in load.result.processes, "the new code answers")
        result = load.stop()
        assert set(result.processes) == before | {"anew"}
        assert (result.crossed, result.broken, result.dropped, result.refused) == ([], [], [], 0)
        assert "site_urls.py changed: starting anew." in server.output
        until(lambda: len(server.workers()) == int(processes), "the old ones have ended")
        assert server.stop() == 0


def test_the_old_one_is_not_waited_for(project: Path) -> None:
    with Server("--reload", site=project) as server, server.ask("/stuck"):
        until(lambda: server.has_read(1), "a request is in work")
        (before,) = server.workers()
        edit(project, "site_urls.py", "{os.getpid()}", "anew")
        assert server.get("/named/x")[1].split()[1] in (str(before).encode(), b"anew")
        until(lambda: before not in server.workers(), "it is cut")
        assert server.get("/named/x") == (200, b"x anew")


@pytest.mark.parametrize("name", ["site_urls.py", "site_settings.py"])
def test_a_mistake_is_shown_and_the_next_change_mends_it(project: Path, name: str) -> None:
    """In the settings it breaks manage.py itself."""
    with Server("--reload", site=project) as server:
        right = (project / name).read_text()
        (project / name).write_text(right + "\n\ndef mistake(:\n")
        until(lambda: server.said("The next change starts it anew"), "it is shown")
        assert "def mistake(:" in server.output and "SyntaxError" in server.output
        with server.ask("/named/waits") as client:
            (project / name).write_text(right + "# mended\n")
            assert client.recv(65536).startswith(b"HTTP/1.1 200 ")
        assert server.stop() == 0


def test_a_terminal_that_closes_ends_it(project: Path) -> None:
    with Server("--reload", site=project) as server:
        server.signal(signal.SIGHUP)
        assert server.end() == 0


def test_a_mistake_at_the_start(tmp_path: Path, project: Path) -> None:
    (project / "site_app/broken.py").touch()
    with Server("--reload", site=project, SITE_DIES=str(project / "site_app/broken.py"), wait=False) as server:
        until(lambda: server.said("The next change starts it anew"), "it is shown")
        (project / "site_app/broken.py").unlink()
        server.wait_ready()
        assert server.get("/named/x")[1].split()[0] == b"x"


def test_what_counts_as_a_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    templates = tmp_path / "project/templates"
    for folder in ("project/app", "project/.git", "project/venv", "project/node_modules", "project/templates"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "project/venv/pyvenv.cfg").touch()
    monkeypatch.setattr(reload, "_import_folders", lambda: iter([tmp_path / "project", tmp_path / "project/app"]))
    monkeypatch.setattr(reload, "_template_folders", lambda: iter([templates]))
    watch = reload.Watch()

    def changed() -> str | None:
        until(lambda: time.monotonic() >= watch.look_at, "it looks again")
        path = watch.changed()
        return path and str(Path(path).relative_to(tmp_path / "project"))

    for path in ("project/notes.txt", "project/.git/a.py", "project/venv/a.py", "project/node_modules/a.py"):
        (tmp_path / path).touch()
    assert changed() is None
    new = tmp_path / "project/app/new.py"
    new.touch()
    assert changed() == "app/new.py"
    assert changed() is None
    os.utime(new, (1, 1))
    assert changed() == "app/new.py"
    new.unlink()
    assert changed() == "app/new.py"
    (templates / "page.html").touch()
    assert changed() == "templates/page.html"


def test_what_is_installed_is_not_watched() -> None:
    import django

    folders = list(
        reload._outermost(iter([Path(django.__file__).parent, Path(os.__file__).parent, SITE, SITE / "site_app"]))
    )
    assert folders == [SITE]
