"""The source distributions that the tests read are pinned by hash."""

import re

import pytest

from sdists import PINS, pin


@pytest.mark.parametrize("project", ["aiohttp", "daphne", "gunicorn", "uvicorn"])
def test_others_samples_and_tests(project: str) -> None:
    version, requirement = pin(project)
    assert re.fullmatch(rf"{project}=={re.escape(version)} --hash=sha256:[0-9a-f]{{64}}", requirement)


def test_each_django_has_its_own() -> None:
    versions = [re.findall(r"^django==([\d.]+)", file.read_text(), re.MULTILINE) for file in PINS]
    assert [len(found) for found in versions] == [0, 1, 1]
    for (version,) in versions[1:]:
        found, requirement = pin("django", version)
        assert found == version and requirement.count("--hash=sha256:") == 2


def test_what_is_not_pinned_is_told() -> None:
    with pytest.raises(LookupError, match=r"django 1\.0 is not pinned: add .* sdists\.txt"):
        pin("django", "1.0")
