"""The examples of docs/openapi.md, as they stand there."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import pytest

from examples import DOCS, EXAMPLE, exchanges, namespace
from serving import serving

GUIDE = (DOCS / "openapi.md").read_text()
CODE = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)


def commands(name: str) -> list[list[str]]:
    return [line.split() for line in re.findall(r"^    (.+)$", GUIDE, re.MULTILINE) if name in line.split()]


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    """Of the first example's API."""
    with serving(namespace(CODE[0])["api"]) as client:
        yield client


def run(*command: str, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_example_is_run() -> None:
    assert len(CODE) == 3


def test_the_example(client: httpx.Client) -> None:
    [(_, block)] = EXAMPLE.findall(GUIDE)
    for exchange in exchanges(block):
        exchange.check(client.request(**exchange.request))


def test_a_client_in_python(client: httpx.Client, tmp_path: Path) -> None:
    (tmp_path / "openapi.json").write_text(client.get("/api/docs/openapi.json").text)
    [command] = commands("openapi-python-client")
    run(*command, cwd=tmp_path)
    printing = f"url = {str(client.base_url)!r}\n{CODE[1]}\nprint(made.to_dict())"
    assert run(sys.executable, "-c", printing, cwd=tmp_path) == "{'name': 'lemon', 'price': 3}\n"


def test_schemathesis(client: httpx.Client, tmp_path: Path) -> None:
    code = CODE[2].replace("http://127.0.0.1:8000", str(client.base_url))
    assert code != CODE[2]
    (tmp_path / "test_api.py").write_text(code)
    (tmp_path / "schemathesis.toml").write_text("[generation]\nmax-examples = 5\n[phases.coverage]\nenabled = false\n")
    told = run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_api.py", cwd=tmp_path)
    assert "2 passed" in told
    assert msgspec.json.decode(client.get("/api/docs/openapi.json").content)["paths"].keys() == {
        "/api/items/{id}",
        "/api/items",
    }
