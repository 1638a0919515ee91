"""Generating a project, and looking at what came out."""

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# Where the tools of tests/requirements.txt are.
BIN = Path(sysconfig.get_path("scripts"))


def run(*command, cwd, check=True, timeout=120, **kwargs):
    """Run a command with its output captured, and show that output when it fails."""
    result = subprocess.run(
        [str(part) for part in command], cwd=cwd, capture_output=True, text=True, timeout=timeout, **kwargs
    )
    if check and result.returncode:
        pytest.fail(f"{command} failed ({result.returncode}):\n{result.stdout}\n{result.stderr}")
    return result


def files_of(folder):
    """Every file below a folder, by its path as text."""
    return {str(path.relative_to(folder)): path for path in sorted(folder.rglob("*")) if not path.is_dir()}


def generate(output, *options, template=ROOT, check=True, **answers):
    """Generate a project into the folder `output`, the way a user does it."""
    output.mkdir(parents=True, exist_ok=True)
    extra = [f"{question}={answer}" for question, answer in answers.items()]
    command = [sys.executable, "-m", "cookiecutter", template, "--no-input", "-o", output, *options, *extra]
    result = run(*command, cwd=output, check=check)
    result.project = output / answers.get("project_slug", "my_project")
    return result


def tracked():
    """What git tracks of the template, or would after the next `git add -A`."""
    names = run("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", cwd=ROOT).stdout
    return [name for name in sorted(set(names.split("\0"))) if name and os.path.lexists(ROOT / name)]


def commit(repository):
    run("git", "add", "-A", cwd=repository)
    run("git", "commit", "-qm", "A commit", cwd=repository)


GOOD = {
    "project_name": "Shop",
    "__slug_answer": "shop",
    "domain_name": "example.com",
    "author_email": "admin@example.com",
    "timezone": "UTC",
}


def pre_gen(**answers):
    """The hook as cookiecutter renders it, which is quicker than a whole generation."""
    source = (ROOT / "hooks" / "pre_gen_project.py").read_text()
    return source.replace("{{ cookiecutter | jsonify }}", json.dumps({**GOOD, **answers}))


def slug_problem(slug):
    hook = {}
    exec(pre_gen(), hook)
    return hook["slug_problem"](slug)
