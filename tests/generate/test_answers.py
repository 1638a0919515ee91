"""An odd answer arrives unchanged wherever it lands: Python, TOML, YAML, shell."""

import ast
import json
import os
import re
import sys

import pytest
import yaml
from generation import BIN, ROOT, files_of, generate, run
from names import NAMES, literal

try:
    import tomllib
except ImportError:  # Python 3.10
    import tomli as tomllib

SLUGS = {
    "Über Shop": "uber_shop",
    "3D Prints!": "project_3d_prints",
    "🚀": "project",
    "My -- _ Shop ": "my_shop",
    "日本": "ri_ben",
    "word " * 20: "word_word_word_word_word_word_wo",
}

OTHERS = [
    {"project_slug": "a"},
    {"project_slug": "a1_b2_c3"},
    {"project_slug": "a" * 40},
    {"domain_name": "localhost"},
    {"domain_name": "a.b-c.xn--p1ai", "author_email": "first.last+tag_x@sub.example.org"},
    {"timezone": "America/Argentina/Buenos_Aires"},
    {"timezone": "Etc/GMT+12"},
]


@pytest.mark.parametrize("name", NAMES)
def test_odd_name(tmp_path, name):
    project = generate(tmp_path, project_name=literal(name), project_slug="shop").project
    assert_sound(project)
    assert name in strings_of(project / "shop" / "settings.py")
    assert not list(tmp_path.rglob("pwned*"))


@pytest.mark.parametrize("answers", OTHERS, ids=str)
def test_other_answers(tmp_path, answers):
    assert_sound(generate(tmp_path, **answers).project)


@pytest.mark.parametrize(("name", "slug"), SLUGS.items())
def test_slug_made_of_the_name(tmp_path, name, slug):
    generate(tmp_path, project_name=name)
    assert [path.name for path in tmp_path.iterdir()] == [slug]


def test_six_questions_are_asked(tmp_path):
    """Typed answers are not rendered, unlike those of the command line."""
    typed = ["Typed \\ name", "typed", "typed.example.org", "typed@example.org", "Asia/Tokyo", "2"]
    asked = run(sys.executable, "-m", "cookiecutter", ROOT, cwd=tmp_path, input="\n".join(typed) + "\n")
    questions = json.loads((ROOT / "cookiecutter.json").read_text())
    assert len(questions["__prompts__"]) == 6
    for text in questions["__prompts__"].values():
        assert text in asked.stdout.replace("\n", " ")
    assert "Typed \\ name" in strings_of(tmp_path / "typed" / "typed" / "settings.py")
    assert not (tmp_path / "typed" / "orders").exists()


def test_answers_land(tmp_path):
    answers = {"domain_name": "shop.example.org", "author_email": "me@example.net", "timezone": "Europe/Vienna"}
    project = generate(tmp_path, **answers).project
    texts = [path.read_text() for path in files_of(project).values() if path.suffix in (".py", ".example", ".md")]
    for answer in answers.values():
        assert any(answer in text for text in texts), f"{answer} is asked for and used nowhere"


def test_default_and_without_example(default, without_example):
    assert_sound(default)
    assert_sound(without_example)


def strings_of(source):
    return {node.value for node in ast.walk(ast.parse(source.read_text())) if isinstance(node, ast.Constant)}


class Loader(yaml.SafeLoader):
    """Knows the tags that Compose adds: https://docs.docker.com/reference/compose-file/merge/"""


Loader.add_multi_constructor("!", lambda loader, suffix, node: None)


def assert_sound(project):
    parsed = set()
    for name, path in files_of(project).items():
        parsed.add(path.suffix)
        if path.suffix == ".py" and sys.version_info >= (3, 12):
            compile(path.read_bytes(), name, "exec")
        elif path.suffix == ".toml":
            tomllib.loads(path.read_text())
        elif path.suffix in (".yaml", ".yml"):
            list(yaml.load_all(path.read_text(), Loader))
        elif path.suffix == ".json":
            json.loads(path.read_text())
    assert parsed >= {".py", ".toml", ".yaml", ".yml"}
    # Its parser knows newer Python than that of this host may be.
    run(BIN / "ruff", "check", "--isolated", "--no-cache", "--select=E9", "--target-version=py313", ".", cwd=project)
    assert_compose_name(project)
    assert_shell_sound(project)


def assert_compose_name(project):
    """The slug arrives as a string, and as one that Compose takes."""
    name = yaml.load((project / "compose.yaml").read_text(), Loader)["name"]
    assert re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name)


def assert_shell_sound(project):
    """Sourced by a shell and read by make, the files run nothing of an answer."""
    clean = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    sourced = run("sh", "-euc", "set -a; . ./.env.example; env", cwd=project, env=clean)
    assert not sourced.stderr
    run("make", "--dry-run", "--silent", "help", cwd=project, env=clean)
    for path in files_of(project).values():
        first = path.read_bytes()[:64].split(b"\n")[0]
        if re.match(rb"#!.*\b(ba)?sh\b", first):
            run("bash" if b"bash" in first else "sh", "-n", path, cwd=project)
