"""A project follows its template by cruft: its own changes are kept, and no secret shows or changes."""

import json
import sys

import pytest
from generation import commit, files_of, run


def cruft(*arguments, cwd, check=True):
    return run(sys.executable, "-m", "cruft", *arguments, cwd=cwd, check=check)


def create(template, output, *arguments):
    output.mkdir()
    cruft("create", template, "--no-input", "--output-dir", output, *arguments, cwd=output)
    project = output / "my_project"
    run("git", "init", "-q", cwd=project)
    commit(project)
    return project


def secrets(project):
    return {path.name: path.read_text() for path in (project / "secrets").iterdir()}


def append(path, text):
    path.write_text(path.read_text() + text)


def publish(repository):
    """A second version of the template: in a linked folder, a rendered file, a copied one, and a new secret."""
    append(repository / "nginx" / "README.md", "\nNew in nginx.\n")
    append(repository / "{{cookiecutter.project_slug}}" / "README.md", "\nNew in {{ cookiecutter.project_name }}.\n")
    append(repository / "{{cookiecutter.project_slug}}" / "manage.py", "# New.\n")
    (repository / "redis" / "new.conf").write_text("new\n")
    append(repository / "bin" / "secrets.py", '\nopen("secrets/new_secret", "w").write("unseen")\n')
    commit(repository)


@pytest.fixture(params=["path", "file://"])
def project(request, tmp_path, repository):
    template = repository if request.param == "path" else f"file://{repository}"
    return create(template, tmp_path / "output")


def test_fresh_project_is_up_to_date(project):
    assert json.loads((project / ".cruft.json").read_text())["commit"]
    cruft("check", cwd=project)
    assert cruft("diff", "--exit-code", cwd=project).stdout == ""


def test_update(project, repository):
    before = secrets(project)
    publish(repository)
    append(project / "README.md", "")
    (project / "README.md").write_text("My own first line.\n" + (project / "README.md").read_text())
    (project / "own.py").write_text("own = True\n")
    (project / "nginx" / "own.conf").write_text("own\n")
    commit(project)

    assert cruft("check", cwd=project, check=False).returncode == 1
    diff = cruft("diff", cwd=project).stdout
    cruft("update", "--skip-apply-ask", cwd=project)

    readme = (project / "README.md").read_text()
    assert readme.startswith("My own first line.\n") and readme.endswith("New in My Project.\n")
    assert (project / "manage.py").read_text().endswith("# New.\n")
    assert (project / "nginx" / "README.md").read_text().endswith("New in nginx.\n")
    assert (project / "redis" / "new.conf").read_text() == "new\n"
    assert (project / "own.py").is_file() and (project / "nginx" / "own.conf").is_file()
    assert not [name for name in files_of(project) if name.endswith((".rej", ".orig"))]
    assert "<<<<<<<" not in run("git", "diff", "HEAD", cwd=project).stdout
    commit(project)
    cruft("check", cwd=project)

    assert secrets(project) == before
    assert "secrets/" not in diff
    assert not [value for value in before.values() if value and value in diff]


def test_update_without_git(project, repository):
    """Where the project is no repository, cruft patches and writes .rej files for what it cannot."""
    before = secrets(project)
    publish(repository)
    run("rm", "-rf", ".git", cwd=project)
    cruft("update", "--skip-apply-ask", cwd=project)
    assert (project / "redis" / "new.conf").is_file()
    assert not [name for name in files_of(project) if name.endswith(".rej")]
    assert secrets(project) == before


def test_odd_name_survives_an_update(tmp_path, repository):
    """cruft renders the recorded answers once more: they must come out of that unchanged."""
    name = """It's {odd} }} "% \\ $HOME </b> 🚀"""
    answers = json.dumps({"project_name": name, "project_slug": "my_project"})
    project = create(repository, tmp_path / "output", "--extra-context", answers)
    publish(repository)
    cruft("update", "--skip-apply-ask", cwd=project)
    assert f"New in {name}." in (project / "README.md").read_text()
    assert json.loads((project / ".cruft.json").read_text())["context"]["cookiecutter"]["project_name"] == name


def test_example_stays_away(tmp_path, repository):
    project = create(repository, tmp_path / "output", "--extra-context", '{"example_app": "no"}')
    publish(repository)
    cruft("update", "--skip-apply-ask", cwd=project)
    assert not [name for name in files_of(project) if "orders" in name and not name.startswith((".git/", "core/"))]
