"""A bad answer is refused in one clear line of ours, and nothing is left behind."""

import re
import sys
import zipfile

import pytest
from generation import generate, pre_gen, run, slug_problem

LONG = "a" * 64
REFUSED = {
    "project_name": [
        "", "   ", "\u00a0", "two\nlines", "a\rb", "tab\there", "bell\a", "x" * 101, "line\u2028separator",
        "right\u202eto left", "{{ 7 * 7 }}", "{% raw %}", "{# note #}",
    ],
    "project_slug": [
        "", ".", "..", "a/b/c", "../escape", "../escape/deeper", "/absolute/path", "my-project", "my project", "1st",
        "_private", "trailing_", "two__underscores", "MyProject", "größe", "имя", "a.b", "$(touch pwned)", "-rf",
        "a" * 41, "a" * 300, "class", "async", "match", "None", "on", "null",
        "test", "tests", "json", "secrets", "site", "django", "celery", "core", "nginx", "web", "users", "orders",
        "health", "outbox", "redis", "static", "templates", "bin", "base", "s3", "yaml", "PIL", "environ",
    ],
    "domain_name": [
        "", "example", "example.com.", "-a.com", "a-.com", "a..com", ".com", "ex ample.com", "under_score.com",
        "https://example.com", "example.com:8000", "example.com/path", "192.168.0.1", "Example.com", "bücher.example",
        f"{LONG}.com", ".".join(["a" * 60] * 5), "a.com\n", "$(id).com", '"a.com',
    ],
    "author_email": [
        "", "admin", "@example.com", "admin@", "admin@example", "a@b@example.com", "a b@example.com", ".a@example.com",
        "a..b@example.com", "a.@example.com", '"a"@example.com', "a@example.com\nBcc: b", "ä@example.com",
        f"{LONG}a@example.com", "Admin <admin@example.com>",
    ],
    "timezone": [
        "", "Vienna", "Europe/Nowhere", "europe/vienna", "UTC+1", "../etc/passwd", "Europe/Vienna\n", "localtime",
    ],
}  # fmt: skip


ALL = [(question, answer) for question, answers in REFUSED.items() for answer in answers]


@pytest.mark.parametrize(("question", "answer"), ALL)
def test_bad_answer(tmp_path, question, answer):
    hook = pre_gen(**{question.replace("project_slug", "__slug_answer"): answer})
    result = run(sys.executable, "-", input=hook, cwd=tmp_path, check=False)
    assert result.returncode == 1 and not result.stdout
    (line,) = result.stderr.splitlines()
    assert re.match(rf"{question} .* (must|is) \w.*\.$", line)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("project_name", "   "),
        ("project_name", "{{ '{{' }} 7 * 7 }}"),
        ("project_name", "two\nlines"),
        *(
            ("project_slug", slug)
            for slug in ["", ".", "a/b/c", "../escape/deeper", "größe", "class", "nginx", "x" * 300]
        ),
        ("domain_name", "https://example.com"),
        ("author_email", "a@example.com\nBcc: b"),
        ("timezone", "Europe/Nowhere"),
    ],
)
def test_nothing_is_left(tmp_path, question, answer):
    # An e-mail address of its own, because the default one is made of the domain.
    answers = {"author_email": "admin@example.com", "project_slug": "shop", question: answer}
    result = generate(tmp_path / "deep" / "output", check=False, **answers)
    assert result.returncode == 1
    assert len([line for line in result.stderr.splitlines() if line.startswith(f"{question} ")]) == 1, result.stderr
    assert not [path for path in tmp_path.rglob("*") if path.name not in ("deep", "output")]


def test_absolute_slug_creates_nothing(tmp_path):
    assert generate(tmp_path, check=False, project_slug=str(tmp_path / "a" / "b")).returncode == 1
    assert not list(tmp_path.iterdir())


def test_unknown_choice(tmp_path):
    assert generate(tmp_path, check=False, example_app="perhaps").returncode
    assert not list(tmp_path.iterdir())


IMPORTED_AS = {
    "argon2-cffi": "argon2",
    "django-environ": "environ",
    "django-ipware": "ipware",
    "django-storages": "storages",
    "pillow": "pil",
    "python-dateutil": "dateutil",
    "python-ipware": "ipware",
}


def test_folder_names_are_taken(default):
    """What lies in a project, and what its .gitignore hides, cannot be its package's name."""
    ignored = re.findall(r"^/?([a-z][a-z0-9_]*)/?$", (default / ".gitignore").read_text(), re.M)
    present = [path.stem for path in default.iterdir() if path.is_dir() or path.suffix == ".py"]
    names = {name for name in [*present, *ignored] if name.isidentifier()} - {default.name}
    assert names >= {"web", "users", "manage", "secrets"}
    assert not [name for name in names if not slug_problem(name)]


def test_dependency_names_are_taken(default):
    """A new dependency adds its import name to the hook's list."""
    pinned = re.findall(r"^([a-z0-9_-]+)==", (default / "requirements-dev.txt").read_text(), re.M)
    names = {IMPORTED_AS.get(name, name.replace("-", "_")) for name in pinned}
    stubs = {name for name in names if re.search(r"^types_|_types$|_stubs$", name)}
    assert names >= {"django", "celery", "pytest"}
    assert not [name for name in names - stubs if not slug_problem(name)]


def test_zip_is_refused(tmp_path, repository):
    """Out of a .zip the links come as text files, so that the project would lack its services."""
    run("git", "archive", "--format=zip", "--prefix=template/", "-o", tmp_path / "template.zip", "HEAD", cwd=repository)
    assert "template/LICENSE" in zipfile.ZipFile(tmp_path / "template.zip").namelist()

    result = generate(tmp_path / "output", template=tmp_path / "template.zip", check=False)

    assert result.returncode == 1
    assert [line for line in result.stderr.splitlines() if line.endswith("use git clone.")]
    assert not list((tmp_path / "output").iterdir())


def test_secrets_failing_leaves_nothing(tmp_path, repository):
    (repository / "bin" / "secrets.py").write_text("raise SystemExit('no luck')")
    result = generate(tmp_path / "output", template=repository, check=False)
    assert result.returncode == 1 and "no luck" in result.stderr
    assert not list((tmp_path / "output").iterdir())
