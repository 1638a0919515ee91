"""The package around the engine: what is said when the engine is missing, and whether `_core.pyi` describes it."""

import ast
import inspect
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import django_rivet
from django_rivet import _core

PACKAGE = Path(django_rivet.__file__).parent
STUB = ast.parse((PACKAGE / "_core.pyi").read_text())
CLASSES = {node.name: node for node in STUB.body if isinstance(node, ast.ClassDef)}
FUNCTIONS = {node.name: node for node in STUB.body if isinstance(node, ast.FunctionDef)}


def test_an_engine_that_is_missing_is_told_in_one_line(tmp_path: Path) -> None:
    shutil.copytree(PACKAGE, tmp_path / "django_rivet", ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-c", "import django_rivet"]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    last = done.stderr.splitlines()[-1]
    assert last.startswith("ImportError: django_rivet._core, the compiled part of django-rivet, is missing in ")
    assert str(tmp_path) in last and sys.implementation.cache_tag in last and "pip install" in last
    assert "During handling" not in done.stderr and "direct cause" not in done.stderr


def methods(node: ast.ClassDef) -> dict[str, ast.FunctionDef]:
    return {each.name: each for each in node.body if isinstance(each, ast.FunctionDef)}


def is_property(node: ast.FunctionDef) -> bool:
    return any(isinstance(each, ast.Name) and each.id == "property" for each in node.decorator_list)


def parameters(node: ast.FunctionDef) -> list[tuple[str, Any, Any]]:
    """Name, kind and default of each parameter, but for `self`."""
    source = f"lambda {ast.unparse(without_annotations(node.args))}: 0"
    return told(inspect.signature(eval(source)))


def without_annotations(arguments: ast.arguments) -> ast.arguments:
    for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
        each.annotation = None
    return arguments


def told(signature: inspect.Signature) -> list[tuple[str, Any, Any]]:
    return [(each.name, each.kind, each.default) for each in signature.parameters.values() if each.name != "self"]


def test_the_stub_names_what_the_module_has() -> None:
    assert {*CLASSES, *FUNCTIONS} == {name for name in vars(_core) if not name.startswith("__")}
    for name, node in FUNCTIONS.items():
        assert parameters(node) == told(inspect.signature(getattr(_core, name))), name


@pytest.mark.parametrize("name", [name for name in CLASSES if name != "Disconnected"])
def test_the_stub_names_what_a_class_has(name: str) -> None:
    there, stub = getattr(_core, name), methods(CLASSES[name])
    own = {each for each in vars(there) if not each.startswith("__")}
    assert {each for each in stub if not each.startswith("__")} == own
    for each, node in stub.items():
        if each == "__init__":
            assert parameters(node) == told(inspect.signature(there)), each
        elif each == "__call__":
            assert callable(there)  # what is behind a slot tells no parameters
        elif is_property(node):
            assert inspect.isgetsetdescriptor(vars(there)[each]), each
        else:
            assert parameters(node) == told(inspect.signature(vars(there)[each])), each


def test_the_stub_names_what_disconnected_has() -> None:
    assert issubclass(_core.Disconnected, OSError)
    assert [ast.unparse(each) for each in CLASSES["Disconnected"].body[1:]] == ["code: int", "reason: str"]
