"""compose.yaml, the settings and .env.example know the same variables."""

import re
from importlib import import_module
from pathlib import Path

import pytest

from tests.unit.production import SETTINGS

ROOT = Path(__file__).resolve().parents[2]
NOT_OURS = {"COMPOSE_PROJECT_NAME", "COMPOSE_FILE"}  # Compose itself reads them
NOT_SETTINGS = {"DJANGO_SETTINGS_MODULE"}


@pytest.fixture(scope="module")
def read() -> set[str]:
    names: set[str] = import_module(SETTINGS).env.names
    return names


@pytest.fixture(scope="module")
def interpolated() -> set[str]:
    files = [ROOT / "compose.yaml", *(ROOT / "compose").glob("*.yaml")]
    return set(re.findall(r"\$\{([A-Z][A-Z0-9_]*)", "".join(file.read_text() for file in files))) - NOT_OURS


@pytest.fixture(scope="module")
def passed_on() -> set[str]:
    """What compose.yaml gives to Django's containers, as settings name it."""
    block = re.search(r"environment: &app-environment\n((?: {4}.*\n)+)", (ROOT / "compose.yaml").read_text())
    assert block, "compose.yaml has no `environment: &app-environment`"
    names = re.findall(r"^ {4}([A-Z0-9_]+):", block[1], re.MULTILINE)
    return {name.removesuffix("_FILE") for name in names} - NOT_SETTINGS


@pytest.fixture(scope="module")
def documented() -> dict[str, str]:
    """Each variable of .env.example with the comment above it."""
    entries = re.findall(r"^((?:# .*\n)+)#([A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    return {name: comment for comment, name in entries}


def test_settings_read_what_compose_passes_on(read: set[str], passed_on: set[str]) -> None:
    """Symmetric differences, so that a failure names the variables."""
    assert read ^ passed_on == set()


def test_every_variable_is_explained(read: set[str], interpolated: set[str], documented: dict[str, str]) -> None:
    assert (interpolated | read) ^ (documented.keys() - NOT_OURS) == set()


def test_explanations_are_sentences(documented: dict[str, str]) -> None:
    bad = [name for name, comment in documented.items() if not re.search(r"^# [A-Z].*[.]$", comment.strip(), re.DOTALL)]
    assert bad == []


def test_examples_are_no_secrets() -> None:
    """Nothing is set by copying the file as it is."""
    assert re.findall(r"^[^#\n].*", (ROOT / ".env.example").read_text(), re.MULTILINE) == []
