"""The source distribution, and the wheel that is made of it alone; kept until a file of the core changes."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

CORE = Path(__file__).parents[2]
CACHE = Path("/cache/wheel")
# As tests/run builds the extension: a release takes minutes.
BUILD_ARGS = "--locked --profile quick"
PATIENCE = 900.0  # seconds, without anything that was built before


def run(*words: object, **environment: str) -> None:
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [str(word) for word in words]
    done = subprocess.run(
        command, cwd=CACHE, env=kept | environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE
    )
    assert done.returncode == 0, (done.stdout + done.stderr).decode()


def make() -> tuple[Path, Path]:
    """The source distribution and its wheel."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / "lock", "w") as lock, tempfile.TemporaryDirectory() as new:
        fcntl.flock(lock, fcntl.LOCK_EX)
        run("maturin", "sdist", "--manifest-path", CORE / "Cargo.toml", "--out", new)
        (sdist,) = Path(new).iterdir()
        made = CACHE / f"{sys.implementation.cache_tag}-{hashlib.sha256(sdist.read_bytes()).hexdigest()}"
        if not made.exists():
            for old in CACHE.glob("cpython-*"):
                shutil.rmtree(old)
            if not (CACHE / "target").exists():  # what others' crates need is there already
                shutil.copytree(os.environ["CARGO_TARGET_DIR"], CACHE / "target", symlinks=True)
            run(*pip_wheel(unpacked(sdist), new), CARGO_TARGET_DIR=str(CACHE / "target"))
            shutil.copytree(new, made.with_suffix(".new"))
            made.with_suffix(".new").rename(made)
    (sdist,), (wheel,) = made.glob("*.tar.gz"), made.glob("*.whl")
    return sdist, wheel


def unpacked(sdist: Path) -> Path:
    """Always in the same folder, where cargo finds what it has built; files that did not change keep their age.

    In the archive all are equally old, and cargo goes by age.
    """
    new, source = CACHE / "source.new", CACHE / "source"
    shutil.rmtree(new, ignore_errors=True)
    with tarfile.open(sdist) as archive:
        archive.extractall(new, filter="data")
    for path in new.rglob("*.rs"):
        before = source / path.relative_to(new)
        if before.exists() and before.read_bytes() == path.read_bytes():
            shutil.copystat(before, path)
        else:
            path.touch()
    shutil.rmtree(source, ignore_errors=True)
    new.rename(source)
    (folder,) = source.iterdir()
    return folder


def pip_wheel(source: Path, out: str) -> list[object]:
    """As a user's pip does it, with the maturin that is there."""
    options = ["--no-deps", "--no-build-isolation", "--config-settings", f"build-args={BUILD_ARGS}", "--wheel-dir", out]
    return [sys.executable, "-m", "pip", "wheel", "--quiet", *options, source]
