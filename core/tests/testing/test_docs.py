"""docs/testing.md: its handlers are those of the site, and its tests are run."""

import os
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
PAGE = (HERE.parents[1] / "docs/testing.md").read_text()


def blocks(kind):
    return re.findall(rf"^```python {kind}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_every_block_is_used():
    assert len(re.findall(r"^```python", PAGE, re.MULTILINE)) == len(blocks("api")) + len(blocks("test"))


def test_the_handlers_are_those_of_the_site():
    (handlers,) = blocks("api")
    assert handlers in (HERE / "site/orders/api.py").read_text()


def test_the_tests_pass(tmp_path):
    (tmp_path / "conftest.py").write_text((HERE / "conftest.py").read_text())
    (tmp_path / "test_page.py").write_text("\n".join(blocks("test")))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(HERE / "site"), *sys.path])},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=100,
    )
    passed = re.search(r"(\d+) passed", done.stdout)
    tests = sum(len(re.findall(r"def test_", block)) for block in blocks("test"))
    assert done.returncode == 0 and passed and int(passed[1]) == tests, done.stdout


def test_the_plugin_needs_no_settings(tmp_path):
    """pytest loads it before anything is set up, in projects without Django too."""
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)
    command = [sys.executable, "-m", "pytest", "-p", "django_rivet.pytest_plugin", "--fixtures", "-q"]
    done = subprocess.run(command, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, text=True, timeout=100)
    assert "rivet_client" in done.stdout
