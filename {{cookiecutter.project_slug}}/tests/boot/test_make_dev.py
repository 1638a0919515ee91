"""`make dev`: without Docker, on a bare system with Python and nothing else."""

import os
import re
import subprocess
from pathlib import Path

import pytest

import stack

# Each line that these print is one start of `make dev`: the page's status and type, and the server.
WITHOUT_RUST = """
set -eu
cp -r /project ~/project
cd ~/project
cat > ~/look.py <<'END'
import os, re, signal, subprocess, sys, time, urllib.request
from pathlib import Path
with open("dev.log", "w") as log:
    dev = subprocess.Popen(["make", "dev"], stdout=log, stderr=log, process_group=0)
for attempt in range(1200):
    try:
        answer = urllib.request.urlopen("http://localhost:8000/", timeout=5)
        break
    except OSError:
        time.sleep(0.5)
    if dev.poll() is not None:
        break
told = Path("dev.log").read_text()
# Ctrl-C, as a terminal sends it. Not SIGTERM: make passes that on, and uvicorn's reloader can hang on a second one.
os.killpg(dev.pid, signal.SIGINT)
dev.wait(60)
try:
    server = re.search("taking (uvicorn): .*|(django-rivet [0-9.]+),", told)[0]
    print(answer.status, answer.headers["content-type"], server)
except (NameError, TypeError):
    sys.exit(told[-3000:])
END
python3 ~/look.py
test -e db.sqlite3
"""
WITH_RUST = """
set -eu
cd ~/project
python3 ~/look.py
mkdir wheels
mv .venv/django-rivet/django_rivet-*.whl wheels/
.venv/bin/python -m pip uninstall -q --yes django-rivet
rm -r core
DJANGO_RIVET=$(echo wheels/* | cut -d- -f2) python3 ~/look.py
"""
OLD_PYTHON = "import sys; sys.version_info = (3, 9, 0, 'final', 0)"


@pytest.mark.skipif(not (stack.ROOT / "core").is_dir(), reason="this project takes its server from a wheel")
@pytest.mark.timeout(1200)
def test_make_dev_on_a_bare_system(project: Path) -> None:
    """Without Rust it takes uvicorn, with it the server of core/, without core/ a wheel: on one machine, in turn."""
    version = re.search(r'^version = "(.*)"', (project / "core/pyproject.toml").read_text(), re.MULTILINE)
    assert version
    home, cache = f"{stack.PROJECT}-home", f"{stack.PROJECT}-cargo"

    def system(name: str, script: str) -> list[str]:
        """Of tests/compose.yaml; what cargo has built and pip has loaded is kept for the next time."""
        return stack.docker(
            *("run", "--rm", "--init", "--volume", f"{project}:/project:ro"),
            *("--volume", f"{home}:/root", "--volume", f"{cache}:/cargo", "--env", "PIP_CACHE_DIR=/cargo/pip"),
            *("--env", "CARGO_HOME=/cargo", "--env", "CARGO_TARGET_DIR=/cargo/target"),
            *(f"{stack.SLUG}-tools-{name}", "bash", "-c", script),
            timeout=1200,
        ).splitlines()

    stack.docker("volume", "rm", "--force", home)
    try:
        told = [*system("bare", WITHOUT_RUST), *system("rust", WITH_RUST)]
    finally:
        stack.docker("volume", "rm", "--force", home)
    page, server = "200 text/html; charset=utf-8", f"django-rivet {version[1]},"
    assert told == [
        f"{page} taking uvicorn: core/ needs Rust 1.95 or newer, and here is none",
        f"{page} {server}",
        f"{page} {server}",
    ]


def test_make_dev_refuses_an_old_python(project: Path) -> None:
    """In one line, before anything is installed."""
    (project / "old").mkdir()
    (project / "old/sitecustomize.py").write_text(OLD_PYTHON)
    # As from a shell: a make that runs this test would make this one say where it is.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    environment["PYTHONPATH"] = str(project / "old")
    done = subprocess.run(
        ["make", "--silent", "dev"], cwd=project, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode
    told = [line for line in (done.stdout + done.stderr).splitlines() if not line.startswith("make: ***")]
    assert len(told) == 1, told
    assert "3.12" in told[0]
    assert not (project / ".venv").exists()
