"""A project without core/ takes the server from a wheel, by one build argument."""

import os
import shutil
import subprocess

import pytest
from generation import ROOT, generate, run

FOLDER = ROOT / ".build" / "without_core"
SLUG = "without_core"
TAKE_WHEEL = "services: {web: {image: without_core-wheel, build: {target: wheel}}}\n"
BUILD_TIMEOUT = 900  # seconds, where the wheel of the same core/ has not been built before


@pytest.fixture(scope="module")
def project():
    shutil.rmtree(FOLDER, ignore_errors=True)
    yield generate(FOLDER, project_slug=SLUG).project
    shutil.rmtree(FOLDER)
    subprocess.run(["docker", "rmi", "--force", f"{SLUG}-wheel", f"{SLUG}-web"], capture_output=True, timeout=60)


def build(project, *files, **environment):
    words = [word for file in ("compose.yaml", *files) for word in ("-f", project / file)]
    command = [ROOT / "bin/compose", "-p", SLUG, "--project-directory", project, *words, "build", "--quiet", "web"]
    return run(*command, cwd=project, timeout=BUILD_TIMEOUT, env=os.environ | environment, check=False)


def take_wheel(project):
    """What core/ makes; the project keeps it in wheels/. Returns its version."""
    (project / "wheel.yaml").write_text(TAKE_WHEEL)
    done = build(project, "wheel.yaml")
    assert not done.returncode, done.stderr
    container = run("docker", "create", f"{SLUG}-wheel", cwd=project).stdout.strip()
    run("docker", "cp", f"{container}:/wheel", project / "wheels", cwd=project)
    run("docker", "rm", container, cwd=project)
    (wheel,) = (project / "wheels").iterdir()
    return wheel.name.split("-")[1]


def in_image(*words):
    """What manage.py prints there."""
    embedded = ["DEBUG=true", "DATABASE_URL=sqlite:////tmp/db.sqlite3", f"DJANGO_SETTINGS_MODULE={SLUG}.settings"]
    options = ["--network=none", *(f"--env={each}" for each in embedded)]
    return run("docker", "run", "--rm", *options, f"{SLUG}-web", "python", "manage.py", *words, cwd=ROOT).stdout


def test_a_wheel_in_place_of_core(project):
    version = take_wheel(project)
    shutil.rmtree(project / "core")

    done = build(project, DJANGO_RIVET=version)
    assert not done.returncode, done.stderr
    assert f"django-rivet {version}, Django " in in_image("runrivet", "--check")


def test_neither_core_nor_a_version(project):
    """The build stops: there is nothing to serve with."""
    shutil.rmtree(project / "core", ignore_errors=True)
    done = build(project)
    assert done.returncode
    assert "/core" in done.stderr
