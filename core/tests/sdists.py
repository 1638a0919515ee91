"""Other projects' source distributions, for their samples and tests: fetched by hash when they are not in the cache."""

import fcntl
import functools
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

HERE = Path(__file__).parent
# The first that names a project pins it; pip takes the source distribution out of all the hashes of a lock file.
PINS = [HERE / "sdists.txt", *sorted(HERE.parent.glob("requirements*.txt"))]
CACHE = Path(os.environ.get("RIVET_TEST_CACHE", "/cache/sdists"))
# Seconds for a download: pip builds the metadata of a source distribution before it keeps the file.
PATIENCE = 600


def pin(project: str, version: str | None = None) -> tuple[str, str]:
    """The version that is pinned and its requirement, hashes and all. version: of a project that is pinned twice.

    Raises LookupError when there is no such pin.
    """
    for file in PINS:
        for line in file.read_text().replace("\\\n", " ").splitlines():
            name, _, rest = line.partition("==")
            found = rest.partition(" ")[0]
            if name == project and version in (None, found):
                return found, line
    raise LookupError(f"{project} {version or ''} is not pinned: add its source distribution to {PINS[0].name}")


@functools.cache
def source(project: str, version: str | None = None) -> Path:
    """The unpacked source distribution of a project that is pinned."""
    found, requirement = pin(project, version)
    folder = CACHE / f"{project}-{found}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / f"{folder.name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # folders of tests run side by side
        if not folder.exists():
            _download(requirement, folder)
    return folder


def _download(requirement: str, folder: Path) -> None:
    """All or nothing: a folder that is there is complete."""
    new = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir()
    (new / "requirements.txt").write_text(requirement + "\n")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "download", "--no-deps"]
    pip += ["--no-binary=:all:", "--require-hashes", "--dest", str(new), "--requirement", str(new / "requirements.txt")]
    subprocess.run(pip, check=True, timeout=PATIENCE, stdin=subprocess.DEVNULL)
    with tarfile.open(next(new.glob("*.tar.gz"))) as archive:
        archive.extractall(new, filter="data")
    next(path for path in new.iterdir() if path.is_dir()).rename(folder)
    shutil.rmtree(new)
