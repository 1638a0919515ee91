"""Each file of the template passes the linter of its kind; each list is found, so that none is forgotten."""

import os
import re
from pathlib import Path

import pytest
from generation import BIN, ROOT, run, tracked

PROJECT = "{{cookiecutter.project_slug}}"
FILES = [name for name in tracked() if not (ROOT / name).is_symlink()]


SCRIPTS = [name for name in FILES if (ROOT / name).read_bytes().startswith(b"#!")]
SHELL = [name for name in SCRIPTS if re.match(rb"#!.*\b(ba|da)?sh\b", (ROOT / name).read_bytes())]
DOCKERFILES = [name for name in FILES if name.endswith("Dockerfile")]


@pytest.mark.parametrize("name", DOCKERFILES)
def test_dockerfile(name):
    run(BIN / "hadolint", "--config", ROOT / ".hadolint.yaml", name, cwd=ROOT)


def test_each_image_has_a_dockerfile():
    assert {Path(name).parts[0] for name in DOCKERFILES} >= {"web", "nginx", "pgbouncer", "postgres", "redis", "s3"}


@pytest.mark.parametrize("name", SHELL)
def test_shell(name):
    run(BIN / "shellcheck", "--external-sources", "--source-path=SCRIPTDIR", name, cwd=ROOT)


@pytest.mark.parametrize("name", SCRIPTS)
def test_script_can_run(name):
    assert os.access(ROOT / name, os.X_OK), f"git update-index --chmod=+x {name}"


@pytest.mark.parametrize("place", ["template", "project"])
def test_workflows(place, default):
    folder = (ROOT if place == "template" else default) / ".github"
    workflows = sorted((folder / "workflows").glob("*.yml"))
    assert workflows
    run(BIN / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows, cwd=ROOT)
    dependabot = folder / "dependabot.yml"
    run(BIN / "check-jsonschema", "--builtin-schema", "vendor.dependabot", dependabot, cwd=ROOT)
    run(BIN / "zizmor", "--offline", "--no-progress", "--persona=pedantic", folder, cwd=ROOT)


def test_pre_commit_pins():
    """A generated project's hooks use the versions that its checks use."""
    pins = re.findall(r"\[(\S+==\S+)\]", (ROOT / PROJECT / ".pre-commit-config.yaml").read_text())
    assert len(pins) == 4
    locked = [(ROOT / name).read_text() for name in ("tests/requirements.txt", f"{PROJECT}/requirements-dev.txt")]
    for pin in pins:
        for text in locked:
            assert f"{pin} " in text or pin.split("==")[0] + "==" not in text, pin
        assert any(f"{pin} " in text for text in locked)


def test_python():
    for command in (["check"], ["format", "--check"]):
        run(BIN / "ruff", *command, "--no-cache", "tests", cwd=ROOT)
    run(BIN / "ruff", "check", "--no-cache", "hooks", cwd=ROOT)


@pytest.mark.parametrize("name", [name for name in FILES if Path(name).suffix not in (".png", ".ico", ".svg", ".webp")])
def test_text(name):
    """.editorconfig: UTF-8, LF, a newline at the end and no spaces before it."""
    text = (ROOT / name).read_bytes().decode()
    assert "\r" not in text
    assert not text or text.endswith("\n")
    assert not [line for line in text.splitlines() if line != line.rstrip(" \t")]
