"""What a generated project checks by itself: lint, types, Django's checks, migrations, unit tests."""

import os
import sys

import pytest
from generation import ROOT, run


@pytest.mark.skipif(sys.version_info < (3, 12), reason="Django needs Python 3.12: tests/run does it inside the image")
@pytest.mark.parametrize("answers", ["default", "without_example"])
def test_checks(request, answers):
    project = request.getfixturevalue(answers)
    tools = ROOT / ".tools" / "check"
    run(ROOT / "bin" / "venv", tools, "requirements-dev.txt", cwd=project, timeout=300)
    run(ROOT / "bin" / "uncompiled", tools, cwd=project)
    path = f"{tools / 'bin'}{os.pathsep}{os.environ['PATH']}"
    run("tests/check", "--here", cwd=project, env={**os.environ, "PATH": path}, timeout=300)
