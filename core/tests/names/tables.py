"""What the tables say, what is in the source distributions of their servers, and whether the two agree."""

import ast
import hashlib
import os
import re
import subprocess
import sys
import tarfile
import tomllib
from ast import parse
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
TESTS = HERE.parent
CORE = TESTS.parent
CACHE = Path(os.environ.get("RIVET_TEST_CACHE", "/cache/names"))
# Seconds for a download: pip builds the metadata of a source distribution before it keeps the file.
PATIENCE = 900


def archive(server: str) -> Path:
    """The source distribution that requirements.txt pins, from the cache or the package index."""
    (line,) = [line for line in (HERE / "requirements.txt").read_text().splitlines() if line.startswith(f"{server}==")]
    version, digest = line.removeprefix(f"{server}==").split(" --hash=sha256:")
    path = CACHE / f"{server}-{version}.tar.gz"
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "download", "--no-deps"]
        pip += ["--no-binary", ":all:", "--dest", str(CACHE), f"{server}=={version}"]
        subprocess.run(pip, check=True, timeout=PATIENCE, stdin=subprocess.DEVNULL)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    assert found == digest, f"{path}: its hash is {found}, not the pinned one; delete it if it is a broken download"
    return path


def names_in(body: list[ast.stmt], prefix: str = "") -> Iterator[str]:
    """The names of the tests in a module or class, as unittest and pytest find them."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test"):
            yield prefix + node.name
        elif isinstance(node, ast.ClassDef):
            yield from names_in(node.body, f"{prefix}{node.name}.")


def theirs(server: str) -> list[tuple[str, str]]:
    """File and name of each test in a server's source distribution."""
    names = []
    with tarfile.open(archive(server)) as tar:
        for member in tar:
            path = member.name.partition("/")[2]
            if path.startswith("tests/") and path.endswith(".py") and (file := tar.extractfile(member)):
                names += [(path, name) for name in names_in(parse(file.read()).body)]
    return names


def table(server: str) -> tuple[dict[tuple[str, str], str | list[str]], dict[str, str]]:
    """What a table says of each test, and its reasons."""
    files = tomllib.loads((HERE / f"{server}.toml").read_text())
    reasons = files.pop("reasons")
    return {(path, name): said for path, names in files.items() for name, said in names.items()}, reasons


def exists(test: str) -> bool:
    """Whether there is such a test of ours: `folder/test_file.py::name`, or `src/file.rs::name` for Rust."""
    path, _, name = test.partition("::")
    if path.startswith("src/"):
        source = CORE / path
        return source.exists() and bool(re.search(rf"\bfn {re.escape(name)}\(", source.read_text()))
    source = TESTS / path
    return source.exists() and name in names_in(parse(source.read_text()).body)


def is_right(said: str | list[str], reasons: dict[str, str]) -> bool:
    """Whether an entry names tests that exist, or gives a reason."""
    if isinstance(said, str):
        return said.removeprefix("@") in reasons if said.startswith("@") else len(said.split()) > 3
    return bool(said) and all(exists(test) for test in said)


def wrong(server: str) -> tuple[list[str], int]:
    """The tests of a server that its table does not account for, in words, and how many tests it has."""
    names = theirs(server)
    said, reasons = table(server)
    lines = [f"{path}: {name}: {said.get((path, name), 'missing')}" for path, name in names]
    return [
        line
        for line, key in zip(lines, names, strict=True)
        if key not in said or not is_right(said[key], reasons) or names.count(key) > 1
    ], len(names)


def made_up(server: str) -> list[str]:
    """What a table has and its server has not, and reasons that nothing gives."""
    said, reasons = table(server)
    names = said.keys() - set(theirs(server))
    unused = reasons.keys() - {entry[1:] for entry in said.values() if isinstance(entry, str)}
    return sorted(f"{path}: {name}" for path, name in names) + sorted(unused)
