"""The package around the engine: what is said when the engine is missing, and whether `_core.pyi` describes it."""

import ast
import inspect
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import django_rivet
from django_rivet import _core, uncompiled

PACKAGE = Path(django_rivet.__file__).parent
STUB = ast.parse((PACKAGE / "_core.pyi").read_text())
CLASSES = {node.name: node for node in STUB.body if isinstance(node, ast.ClassDef)}
FUNCTIONS = {node.name: node for node in STUB.body if isinstance(node, ast.FunctionDef)}


@pytest.fixture
def without_engine(tmp_path: Path) -> Callable[[str], "subprocess.CompletedProcess[str]"]:
    """Runs Python code with the package as it is where nobody has compiled it."""
    shutil.copytree(PACKAGE, tmp_path / "django_rivet", ignore=shutil.ignore_patterns("*.so", "__pycache__"))

    def run(code: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-c", code]
        environment = os.environ | {"PYTHONPATH": str(tmp_path)}
        return subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60)

    return run


def test_an_engine_that_is_missing_is_told_in_one_line(without_engine: Any, tmp_path: Path) -> None:
    done = without_engine("import django_rivet.server.worker")
    last = done.stderr.splitlines()[-1]
    assert last.startswith("ImportError: django_rivet._core, the compiled part of django-rivet, is missing in ")
    assert str(tmp_path) in last and sys.implementation.cache_tag in last and "pip install" in last
    assert "During handling" not in done.stderr and "direct cause" not in done.stderr


HANDLER = """
from typing import Annotated
from django_rivet import API, Query, Request

api = API()

@api.get("/items/{id}")
async def read(request: Request, id: int, tag: Annotated[list[str], Query()], full: bool = False) -> list[object]:
    return [id, tag, full]
"""
ELSEWHERE = """
import django
from django.conf import settings
settings.configure(ROOT_URLCONF="django_rivet.urls", INSTALLED_APPS=["django_rivet", "shop"], ALLOWED_HOSTS=["*"])
django.setup()
from django.test import Client
print(Client().get("/items/7?tag=a+b&tag=caf%C3%A9&full=true&x=1").content.decode())
"""


def test_other_servers_need_no_engine(without_engine: Any, tmp_path: Path) -> None:
    """Native handlers answer Django's test client, which knows nothing of the engine."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/__init__.py").touch()
    (tmp_path / "shop/api.py").write_text(HANDLER)
    done = without_engine(ELSEWHERE)
    assert done.stdout == '[7,["a b","café"],true]\n', done.stderr


@pytest.mark.parametrize("query", [b"a=1&a=2&b=1&b=2", b"a=+%2B%zz%FF&&b", b"b=caf\xc3\xa9&c=3&=4", b"", b"a=%E4%BD"])
def test_its_stand_in_reads_queries_alike(query: bytes) -> None:
    names = {"a": False, "b": True}
    assert uncompiled.parse_query(query, names) == _core.parse_query(query, names)


type Function = ast.FunctionDef | ast.AsyncFunctionDef


def methods(node: ast.ClassDef) -> dict[str, Function]:
    """A property by its getter, which stands before its setter."""
    found = [each for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]
    return {each.name: each for each in reversed(found)}


def is_property(node: Function) -> bool:
    return any(isinstance(each, ast.Name) and each.id == "property" for each in node.decorator_list)


def parameters(node: Function) -> list[tuple[str, Any, Any]]:
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
