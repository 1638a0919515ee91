"""mypy and pyright, strict, take an app and find its mistakes; and the app runs."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import typed_app
from serving import serving

HERE = Path(__file__).parent
CORE = HERE.parent.parent


def test_mypy(tmp_path):
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", tmp_path, HERE / "typed_app.py"]
    done = subprocess.run(command, cwd=CORE, capture_output=True, text=True, timeout=100)
    found = {(int(line), code) for line, code in re.findall(r"typed_app\.py:(\d+): error: .*\[([\w-]+)\]", done.stdout)}
    assert found == {(number, code) for number, code in mistakes().items()}, done.stdout + done.stderr


def mistakes() -> dict[int, str]:
    """Lines of the app with mypy's word for what is wrong there."""
    lines = enumerate((HERE / "typed_app.py").read_text().splitlines(), 1)
    return {number: match[1] for number, line in lines if (match := re.search(r"# error: ([\w-]+)$", line))}


def pyright(file: Path, folder: Path, *paths: Path) -> list[dict[str, Any]]:
    """What it finds in a file; `folder` is for its settings, modules are in `paths` too.

    basedpyright is pyright that installs from PyPI with all it needs; "strict" are pyright's own rules.
    """
    config = {"include": [str(file)], "extraPaths": [str(CORE / "python"), *map(str, paths)]}
    (folder / "pyrightconfig.json").write_text(json.dumps(config | {"typeCheckingMode": "strict"}))
    command = ["basedpyright", "--outputjson", "--pythonpath", sys.executable, "--project", folder]
    done = subprocess.run(command, cwd=CORE, capture_output=True, text=True, timeout=100)
    told = json.loads(done.stdout)
    assert told["summary"]["filesAnalyzed"] == 1, done.stdout + done.stderr
    return [each for each in told["generalDiagnostics"] if each["severity"] in ("error", "warning")]


def test_pyright(tmp_path):
    found = pyright(HERE / "typed_app.py", tmp_path)
    assert {each["range"]["start"]["line"] + 1 for each in found} == {*mistakes()}, found


# Of the project around this folder, or its template. Here, as pyright's Node would be 70 MB more for their own check.
EXAMPLES = [path for name in ("orders/api.py", "*/orders/api.py") for path in CORE.parent.glob(name)]


@pytest.mark.parametrize("handlers", EXAMPLES)
def test_pyright_takes_the_example(handlers, tmp_path):
    assert pyright(handlers, tmp_path, handlers.parents[1]) == []


def test_the_app_runs():
    with serving(typed_app.api) as client:
        answer = client.get("/shop/v1/items?tags=a&tags=b&limit=1")
        assert answer.json() == [{"name": "a", "price": 0}]
        assert client.get("/shop/v1/items/2", headers={"X-Key": "abc"}).json() == {"name": "2", "price": 0}
        assert client.get("/shop/v1/items/4", headers={"X-Key": "abc"}).status_code == 404
        answer = client.post("/shop/v1/items", json={"name": "x"})
        assert (answer.status_code, answer.headers["location"]) == (201, "/shop/v1/items/7")
        files = {"picture": ("p.png", b"png")}
        assert client.post("/shop/v1/items/1/picture", data={"title": "t"}, files=files).text == "1 t p.png"
        assert client.get("/shop/me", headers={"Authorization": "Bearer ada"}).json() == 3
        assert client.get("/shop/me").status_code == 401
        assert client.get("/shop/all").json()["next"] == "/shop/all?page=2&size=2"
        assert client.get("/shop/export").text == "name,price\n"
        assert client.get("/shop/events").text == 'event: sale\ndata: {"sold":1}\n\n'
