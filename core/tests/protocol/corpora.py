"""Samples of requests from other projects' source distributions: fetched by hash when they are not in the cache."""

import fcntl
import functools
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
CACHE = Path(os.environ.get("RIVET_TEST_CACHE", "/cache/corpora"))
# Seconds for a download; pip builds the metadata of a source distribution before it keeps the file.
PATIENCE = 600


@functools.cache
def source(project: str) -> Path:
    """The unpacked source distribution of one of the requirements."""
    line = next(line for line in REQUIREMENTS.read_text().splitlines() if line.startswith(f"{project}=="))
    version, digest = line.removeprefix(f"{project}==").split(" --hash=sha256:")
    folder = CACHE / f"{project}-{version}-{digest[:16]}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / f"{project}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            _download(line, folder)
    return folder / f"{project}-{version}"


def _download(line: str, folder: Path) -> None:
    """All or nothing: a folder that is there is complete."""
    new = folder.with_suffix(".new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir()
    (new / "requirements.txt").write_text(line + "\n")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "download", "--no-deps"]
    options = [
        "--no-binary=:all:",
        "--require-hashes",
        "--dest",
        str(new),
        "--requirement",
        str(new / "requirements.txt"),
    ]
    subprocess.run([*pip, *options], check=True, timeout=PATIENCE, stdin=subprocess.DEVNULL)
    with tarfile.open(next(new.glob("*.tar.gz"))) as archive:
        archive.extractall(new, filter="data")
    new.rename(folder)
