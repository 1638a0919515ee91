"""web/publish: pages of the releases before still find their files in the volume that nginx serves."""

import os
import time
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "web/publish"
DAYS = 86400


class Release:
    def __init__(self, folder: Path) -> None:
        self.source, self.volume = folder / "image", folder / "volume"
        self.volume.mkdir()

    def publish(self, **files: str) -> None:
        """Publish an image with these files: stem and content."""
        self.source.mkdir()
        for name, text in files.items():
            (self.source / f"{name}.css").write_text(text)
        code = SCRIPT.read_text()
        for place, stand_in in (("/app/staticfiles", self.source), ("/srv/static", self.volume)):
            assert f'"{place}"' in code
            code = code.replace(f'"{place}"', repr(str(stand_in)))
        exec(compile(code, str(SCRIPT), "exec"), {})
        self.source.rename(self.source.with_name(f"image-{time.monotonic_ns()}"))

    def age(self, days: int) -> None:
        for path in self.volume.iterdir():
            os.utime(path, (time.time() - days * DAYS,) * 2)

    @property
    def served(self) -> dict[str, str]:
        return {path.stem: path.read_text() for path in self.volume.iterdir()}


@pytest.fixture
def release(tmp_path: Path) -> Release:
    return Release(tmp_path)


def test_files_of_the_release_before_stay(release: Release) -> None:
    release.publish(old="1", same="2")
    release.publish(same="2", new="3")
    assert release.served == {"old": "1", "same": "2", "new": "3"}


def test_files_that_no_release_has_named_for_long_go(release: Release) -> None:
    release.publish(old="1", same="2")
    release.age(31)
    release.publish(same="2")
    assert release.served == {"same": "2"}


def test_a_changed_file_is_replaced(release: Release) -> None:
    release.publish(plain="1")
    release.publish(plain="longer")
    assert release.served == {"plain": "longer"}
