"""What the template's tests share: a home of their own, and projects generated once."""

import os

import pytest
from generation import ROOT, commit, generate, run, tracked


@pytest.fixture(scope="session", autouse=True)
def home(tmp_path_factory):
    """A home of our own: nobody's defaults change the tests, and cookiecutter's notes go there."""
    home = tmp_path_factory.mktemp("home")
    (home / ".gitconfig").write_text("[user]\nname = Tester\nemail = tester@example.com\n")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("GIT_", "COOKIECUTTER_", "XDG_"))]:
            patch.delenv(name)
        patch.setenv("HOME", str(home))
        patch.setenv("PYTHONDONTWRITEBYTECODE", "1")
        yield home


@pytest.fixture(scope="session")
def default(tmp_path_factory):
    """The project that the default answers make."""
    return generate(tmp_path_factory.mktemp("default")).project


@pytest.fixture(scope="session")
def without_example(tmp_path_factory):
    return generate(tmp_path_factory.mktemp("without"), example_app="no").project


@pytest.fixture
def repository(tmp_path):
    """The template as a repository of its own with one commit, for tests that need git."""
    copy = tmp_path / "template"
    for name in tracked():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_symlink():
            (copy / name).symlink_to((ROOT / name).readlink())
        else:
            (copy / name).write_bytes((ROOT / name).read_bytes())
            (copy / name).chmod((ROOT / name).stat().st_mode)
    run("git", "init", "-q", cwd=copy)
    commit(copy)
    return copy
