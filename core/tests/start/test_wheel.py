"""What the distributions hold, and what they say of themselves."""

import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.metadata import Metadata
from packaging.requirements import Requirement
from packaging.utils import parse_wheel_filename

pytestmark = pytest.mark.timeout(900)  # seconds, where nothing has been built before
CORE = Path(__file__).parents[2]
PROJECT = tomllib.loads((CORE / "pyproject.toml").read_text())["project"]
CRATE = tomllib.loads((CORE / "Cargo.toml").read_text())["package"]
EXTENSION = f"_core{sysconfig.get_config_var('EXT_SUFFIX')}"


def source_files(folder: str) -> set[str]:
    """Below a folder of the core, without what is made there."""
    paths = (path for path in (CORE / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {str(path.relative_to(CORE)) for path in paths if path.suffix != ".so"}


@pytest.fixture(scope="module")
def wheel(distributions: tuple[Path, Path]) -> zipfile.ZipFile:
    return zipfile.ZipFile(distributions[1])


@pytest.fixture(scope="module")
def information(wheel: zipfile.ZipFile) -> str:
    """The folder of the wheel that tells about it."""
    return f"{PROJECT['name'].replace('-', '_')}-{PROJECT['version']}.dist-info"


@pytest.fixture(scope="module")
def metadata(wheel: zipfile.ZipFile, information: str) -> Metadata:
    """Raises where it breaks the rules: https://packaging.python.org/en/latest/specifications/core-metadata/"""
    return Metadata.from_email(wheel.read(f"{information}/METADATA"), validate=True)


def test_the_source_distribution_is_complete(distributions: tuple[Path, Path]) -> None:
    with tarfile.open(distributions[0]) as archive:
        there = {name.partition("/")[2] for name in archive.getnames()}
    wanted = set.union(*map(source_files, ("deploy", "docs", "python", "src", "tests")))
    wanted |= {"Cargo.lock", "Cargo.toml", "LICENSE", "README.md", "pyproject.toml", "PKG-INFO"}
    assert wanted - there == set()
    assert not [name for name in there if name.endswith(".so") or name.startswith("target")]


def test_the_wheel_is_the_package(wheel: zipfile.ZipFile, information: str) -> None:
    package = {name.removeprefix("python/") for name in source_files("python")}
    assert {"django_rivet/py.typed", "django_rivet/_core.pyi"} <= package
    there = {name for name in wheel.namelist() if not name.startswith(information)}
    assert there == package | {f"django_rivet/{EXTENSION}"}
    assert wheel.read(f"{information}/licenses/LICENSE") == (CORE / "LICENSE").read_bytes()


def test_the_wheel_is_for_this_python(distributions: tuple[Path, Path]) -> None:
    """One wheel for each CPython: docs/decisions.md says why."""
    name, version, _, tags = parse_wheel_filename(distributions[1].name)
    assert (name, str(version)) == (PROJECT["name"], PROJECT["version"])
    this = f"cp{sys.version_info.major}{sys.version_info.minor}"
    assert {(tag.interpreter, tag.abi) for tag in tags} == {(this, this)}


def test_the_metadata(metadata: Metadata) -> None:
    assert (metadata.name, str(metadata.version)) == (PROJECT["name"], PROJECT["version"])
    assert str(metadata.requires_python) == PROJECT["requires-python"]
    assert metadata.license_expression == PROJECT["license"]
    assert metadata.classifiers == PROJECT["classifiers"]
    needs = {Requirement(each) for each in PROJECT["dependencies"]}
    assert {str(each).lower() for each in metadata.requires_dist or () if each.marker is None} == {
        str(each).lower() for each in needs
    }
    assert (metadata.description or "").strip() == (CORE / "README.md").read_text().strip()


def test_both_halves_have_one_version() -> None:
    assert (CRATE["name"], CRATE["version"]) == (PROJECT["name"], PROJECT["version"])
    assert (CRATE["license"], CRATE["description"]) == (PROJECT["license"], PROJECT["description"])


def test_the_plugin_of_pytest_is_announced(wheel: zipfile.ZipFile, information: str) -> None:
    assert "django_rivet=django_rivet.pytest_plugin" in wheel.read(f"{information}/entry_points.txt").decode()
