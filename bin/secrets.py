#!/usr/bin/env python3
"""Write the secrets that are missing into secrets/. What is there is kept. Prints names, never values.

Compose ignores uid and mode of file secrets, so a container's user reads them with the mode they have here: each file
is open to read, the folder around them is closed. https://docs.docker.com/reference/compose-file/secrets/
"""

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "secrets"


def token() -> str:
    return os.urandom(32).hex()


SECRETS: dict[str, Callable[[], str]] = {
    "secret_key": token,
    "database_owner_password": token,
    "database_app_password": token,
    "pgbouncer_stats_password": token,
    "cache_password": token,
    "queue_password": token,
    # The shape that Garage asks for.
    "s3_access_key_id": lambda: "GK" + os.urandom(12).hex(),
    "s3_secret_access_key": token,
    "s3_rpc_secret": token,
    "health_token": token,
    # Yours to fill in, and empty at first: former keys, and what the mail server asks for.
    "secret_key_fallbacks": str,
    "email_password": str,
}


def write_new(path: Path, value: str) -> None:
    """All of the file or nothing, and never over another: a link, unlike a rename, refuses that."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".")
    try:
        with os.fdopen(handle, "w") as file:
            file.write(value)
            os.fchmod(handle, 0o644)
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        os.unlink(temporary)


def write_missing(folder: Path = FOLDER) -> list[str]:
    """Write what is missing and return its names; modes are put right whatever the umask was."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    missing = [name for name in SECRETS if not (folder / name).exists()]
    for name in missing:
        write_new(folder / name, SECRETS[name]())
    for name in SECRETS:
        (folder / name).chmod(0o644)
    return missing


if __name__ == "__main__":
    try:
        written = write_missing()
    except OSError as error:
        sys.exit(f"secrets: cannot write {error.filename}: {error.strerror}")
    if written:
        print("secrets: wrote " + ", ".join(written))
