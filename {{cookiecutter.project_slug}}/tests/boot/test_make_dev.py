"""`make dev`: without Docker, on a bare system with Python and nothing else."""

import os
import subprocess
from pathlib import Path

import stack

BASE = f"rivet-base:{os.environ.get('DEBIAN_SUITE', 'trixie')}"
BARE = """
set -eu
apt-get update -qq
apt-get install -y -qq make python3 python3-venv > /dev/null
cp -r /project ~/project
cd ~/project
make dev > dev.log 2>&1 &
exec python3 - <<'END'
import sys, time, urllib.request
from pathlib import Path
for attempt in range(480):
    try:
        answer = urllib.request.urlopen("http://localhost:8000/", timeout=5)
        print(answer.status, answer.headers["content-type"])
        sys.exit(Path("db.sqlite3").exists() is False)
    except OSError:
        time.sleep(0.5)
print(Path("dev.log").read_text()[-3000:])
sys.exit("no page")
END
"""
OLD_PYTHON = "import sys; sys.version_info = (3, 9, 0, 'final', 0)"


def test_make_dev_on_a_bare_system(project: Path) -> None:
    told = stack.docker(
        "run", "--rm", "--init", "--volume", f"{project}:/project:ro", BASE, "bash", "-c", BARE, timeout=400
    )
    assert told.split() == ["200", "text/html;", "charset=utf-8"]


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
