"""What the tables say, what is in the source distributions of their servers, and whether the two agree."""

import ast
import re
import tomllib
from ast import parse
from collections.abc import Iterator
from pathlib import Path

from sdists import source

HERE = Path(__file__).parent
TESTS = HERE.parent
CORE = TESTS.parent


def names_in(body: list[ast.stmt], prefix: str = "") -> Iterator[str]:
    """The names of the tests in a module or class, as unittest and pytest find them."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test"):
            yield prefix + node.name
        elif isinstance(node, ast.ClassDef):
            yield from names_in(node.body, f"{prefix}{node.name}.")


def theirs(server: str) -> list[tuple[str, str]]:
    """File and name of each test in a server's source distribution."""
    root = source(server)
    files = sorted(root.glob("tests/**/*.py"))
    return [(str(file.relative_to(root)), name) for file in files for name in names_in(parse(file.read_text()).body)]


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
