"""The generated tree is what git tracks of the template: no byte more, none less, each time."""

import json
import os
import re
import shutil
from pathlib import PurePosixPath

from generation import ROOT, files_of, generate, run, tracked

TEMPLATE = "{{cookiecutter.project_slug}}"


def content(project):
    """Bytes and run bit of each file; the secrets differ by intention."""
    return {
        name: (path.read_bytes(), os.access(path, os.X_OK))
        for name, path in files_of(project).items()
        if not name.startswith("secrets/")
    }


def read(source):
    return (ROOT / source).read_bytes()


def expected(slug):
    """Path in the project -> path in the template, symbolic links followed."""
    names = tracked()
    paths = {}
    for name in names:
        if not name.startswith(f"{TEMPLATE}/"):
            continue
        inner = name[len(TEMPLATE) + 1 :].replace(TEMPLATE, slug)
        if (ROOT / name).is_symlink():
            folder = (ROOT / name).resolve().relative_to(ROOT).as_posix()
            below = [other for other in names if other.startswith(f"{folder}/")]
            paths |= {inner + other[len(folder) :]: other for other in below}
        else:
            paths[inner] = name
    return paths


def test_tree_is_what_git_tracks(default):
    assert set(content(default)) == set(expected("my_project"))


def test_copied_files_are_the_same_bytes(default):
    copied = {name: source for name, source in expected("my_project").items() if not source.startswith(TEMPLATE)}
    folders = {PurePosixPath(name).parts[0] for name in copied}
    assert folders >= set("core web nginx pgbouncer postgres redis s3".split())
    there = content(default)
    for name, source in copied.items():
        assert there[name] == (read(source), os.access(ROOT / source, os.X_OK)), name


def test_ignored_files_do_not_travel(tmp_path, repository):
    for junk in ["bin/__pycache__/secrets.cpython-313.pyc", "web/.ruff_cache/x", f"{TEMPLATE}/tests/__pycache__/x.pyc"]:
        (repository / junk).parent.mkdir(exist_ok=True)
        (repository / junk).write_text("junk")
    assert not run("git", "status", "--porcelain", cwd=repository).stdout
    assert set(content(generate(tmp_path, template=repository).project)) == set(expected("my_project"))


def test_overwriting_keeps_what_the_user_has(tmp_path):
    project = generate(tmp_path).project
    kept = {"secrets/secret_key": (project / "secrets/secret_key").read_text(), ".env": "PORT=8123\n", "notes": "mine"}
    for name, text in kept.items():
        (project / name).write_text(text)
    shutil.rmtree(project / "nginx")

    generate(tmp_path, "--overwrite-if-exists")

    assert (project / "nginx").is_dir()
    assert {name: (project / name).read_text() for name in kept} == kept


def test_same_answers_same_bytes(tmp_path, default):
    assert content(generate(tmp_path).project) == content(default)


def test_git_ignores_the_secrets(tmp_path):
    project = generate(tmp_path).project
    run("git", "init", "-q", cwd=project)
    run("git", "add", "-A", cwd=project)
    added = run("git", "ls-files", "-z", cwd=project).stdout.split("\0")
    assert set(filter(None, added)) == {name for name in content(project) if not name.startswith(".git/")}
    assert list((project / "secrets").iterdir())


def test_secrets_differ_and_are_closed(tmp_path, default):
    other = generate(tmp_path).project
    assert (other / "secrets").stat().st_mode & 0o777 == 0o700
    for path in (other / "secrets").iterdir():
        assert path.stat().st_mode & 0o777 == 0o644, path
        if path.read_text():
            assert path.read_text() != (default / "secrets" / path.name).read_text(), path


def test_no_placeholder_left(default, without_example):
    """What is copied may hold such marks for others: Django's templates, f-strings, docker's --format."""
    rendered = {
        name for name, source in expected("my_project").items() if (default / name).read_bytes() != read(source)
    }
    assert rendered >= {"README.md", "compose.yaml", "manage.py", "my_project/settings.py"}
    for project in (default, without_example):
        for name, (data, _) in content(project).items():
            assert b"cookiecutter." not in data, name
            assert name not in rendered or not re.search(rb"\{[{%#]", data), name


# The base image, and the server in core/ by the names of its package, command, settings, metrics, and in WEB_SERVER.
OTHERS = rb"rivet-base|django[-_]rivet|DJANGO_RIVET|runrivet|RIVET_|\brivet(\b|_)"


def test_template_is_not_named(default):
    """It stands with its version in one line of README or pyproject.toml."""
    named = {}
    for name, (data, _) in content(default).items():
        if name.startswith("core/"):
            continue
        assert "rivet" not in name
        text = re.sub(OTHERS, b"", data).decode(errors="replace")
        if lines := [line for line in text.splitlines() if re.search("rivet", line, re.I)]:
            named[name] = lines
    assert named.keys() <= {"README.md", "pyproject.toml"}
    (line,) = sum(named.values(), [])
    assert json.loads((ROOT / "cookiecutter.json").read_text())["_version"] in line


def test_nothing_left_of_the_example(default, without_example):
    of_the_example = {name for name in content(default) if "orders" in name and not name.startswith("core/")}
    assert of_the_example
    assert set(content(without_example)) == set(content(default)) - of_the_example
    named = re.compile(rb".*(?:\borders\b|\bOrder\b).*")
    left = {
        name: lines
        for name, (data, _) in content(without_example).items()
        if not name.startswith("core/") and (lines := named.findall(data))
    }
    assert left.keys() <= {"tests/cut/cut.py"}, left  # it leaves out the cuts whose test is not there
    assert not [path for path in without_example.rglob("*") if path.is_dir() and not list(path.iterdir())]
