"""Finish the project: drop what was not asked for, write the secrets, say what comes next."""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

# As JSON, never inside quotes: see pre_gen_project.py.
true, false, null = True, False, None
ANSWERS = json.loads(json.dumps({{ cookiecutter | jsonify }}))

SLUG = ANSWERS["project_slug"]
COPIED = [path for pattern in ANSWERS["_copy_without_render"] for path in Path().glob(pattern)]
EXAMPLE = ["orders", "templates/orders", "static/orders", "tests/**/*orders*"]


def remove_ignored(folders: list[Path]) -> None:
    """From a local path cookiecutter copies git-ignored files too, such as a __pycache__."""
    with tempfile.TemporaryDirectory() as git_dir:
        git = ["git", f"--git-dir={git_dir}", "--work-tree=.", "-c", "core.excludesFile="]
        subprocess.run([*git, "init", "--quiet"], check=True)
        subprocess.run([*git, "clean", "-ffdXq", "--", *folders], check=True)


def remove_example() -> None:
    for path in [path for pattern in EXAMPLE for path in Path().glob(pattern)]:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


# _copy_without_render lists folders only, most of them symlinks in the template.
if not all(path.is_dir() for path in COPIED):
    sys.exit("This copy of the template has lost its symbolic links, as a .zip download does: use git clone.")
if shutil.which("git"):
    remove_ignored(COPIED)
if ANSWERS["example_app"] == "no":
    remove_example()
# All output goes to stderr: that of `cruft diff` is a patch.
if subprocess.run([sys.executable, "bin/secrets.py"], stdout=sys.stderr).returncode:
    sys.exit("bin/secrets.py could not write the secrets: see the line above.")
print(f"{SLUG}/ is ready, with its secrets in {SLUG}/secrets/.", file=sys.stderr)
print(f"Next: cd {SLUG} && make up", file=sys.stderr)
