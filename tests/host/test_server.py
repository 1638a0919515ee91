"""bin/server: which server a virtual environment gets, and what is said where it gets none."""

import pytest

CARGO = '[ "$1" = --version ] && echo "cargo {version} (of a test)"'
# Says what it was asked for; nothing is importable.
PYTHON = 'case "$1" in -m) shift 3; echo "pip $*" >&2 ;; *) exit 1 ;; esac'


@pytest.fixture
def server(machine):
    """bin/server in a project with core/, and a virtual environment whose Python notes what it is told."""
    (machine.project / "core").mkdir()
    (machine.project / "core/Cargo.toml").write_text('[package]\nrust-version = "1.95"\n')
    python = machine.project / "venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(f"#!/bin/sh\n{PYTHON}\n")
    python.chmod(0o755)
    return lambda **environment: machine.run("bin/server", "venv", **environment)


def refused(done):
    assert done.returncode == 1
    (line,) = done.stdout.splitlines()
    return line


def test_no_cargo(server):
    assert refused(server()) == "core/ needs Rust 1.95 or newer, and here is none"


@pytest.mark.parametrize("version", ["1.9.0", "1.85.1", "1.94.9"])
def test_a_cargo_that_is_too_old(server, machine, version):
    machine.fake("cargo", CARGO.format(version=version))
    assert refused(server()) == f"core/ needs Rust 1.95 or newer, and here is {version}"


@pytest.mark.parametrize("version", ["1.95.0", "1.96.1", "1.100.0", "2.0.0"])
def test_a_cargo_that_is_new_enough(server, machine, version):
    """It goes on to take maturin, of which nothing is pinned here."""
    machine.fake("cargo", CARGO.format(version=version))
    assert f"building core/ with cargo {version}" in server().stderr


def test_neither_core_nor_a_version(server, machine):
    (machine.project / "core/Cargo.toml").unlink()
    assert refused(server()) == "there is no core/, and DJANGO_RIVET names no version"


def test_a_version_of_the_package_index(server):
    done = server(DJANGO_RIVET="0.2.0")
    assert (done.returncode, done.stdout) == (0, "")
    asked = done.stderr.splitlines()[-1].split()
    assert asked[-1] == "django-rivet==0.2.0" and "--no-index" not in asked


def test_a_version_that_lies_in_wheels(server, machine):
    (machine.project / "wheels").mkdir()
    (machine.project / "wheels/django_rivet-0.2.0-cp313-cp313-linux_x86_64.whl").touch()
    assert "--no-index" in server(DJANGO_RIVET="0.2.0").stderr.split()
    assert "--no-index" not in server(DJANGO_RIVET="0.3.0").stderr.split()
