"""The hooks are programs that cookiecutter renders: an answer must stay data in them."""

import re

import pytest
from generation import ROOT, generate

HOOKS = sorted((ROOT / "hooks").glob("*.py"))


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook.name)
def test_answers_come_as_json_only(hook):
    source = hook.read_text()
    assert re.findall(r"\{[{%#].*", source) == ["{{ cookiecutter | jsonify }}))"]
    # Not within a string or a comment, where JSON could end it.
    assert re.search(r"^ANSWERS = json\.loads\(json\.dumps\(\{\{ cookiecutter \| jsonify \}\}\)\)$", source, re.M)


def test_post_hook_is_short():
    assert len((ROOT / "hooks" / "post_gen_project.py").read_text().splitlines()) < 60


@pytest.mark.parametrize(
    "code",
    [
        '"; import os; os.system("touch pwned"); "',
        "'; import os; os.system('touch pwned'); '",
        '"""; open("pwned", "w"); """',
        "'''; open('pwned', 'w'); '''",
        '\\"; open("pwned", "w")  # ',
        "\\N{APOSTROPHE}; open(\\x22pwned\\x22, 'w')",
        "$(touch pwned) `touch pwned` ; touch pwned | touch pwned &",
        "__import__('os').system('touch pwned')",
    ],
)
def test_name_that_would_run_code(tmp_path, code):
    project = generate(tmp_path, project_name=code, project_slug="shop").project
    assert not list(tmp_path.rglob("pwned*"))
    assert (project / "manage.py").is_file()
