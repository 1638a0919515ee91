"""The settings as production loads them."""

import os
import runpy
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any
from unittest import mock

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = os.environ["DJANGO_SETTINGS_MODULE"]
PACKAGE = SETTINGS.partition(".")[0]
REQUIRED = {
    "SECRET_KEY": "abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOPQRSTUVWXYZ-0123456789",
    "HEALTH_TOKEN": "token",
    "PUBLIC_URL": "https://example.com",
    "DATABASE_URL": "postgres://app@127.0.0.1:1/app",
    "CACHE_URL": "redis://127.0.0.1:1/0",
    "QUEUE_URL": "redis://127.0.0.1:1/0",
    "S3_ENDPOINT_URL": "http://127.0.0.1:1",
    "S3_ACCESS_KEY_ID": "key",
    "S3_SECRET_ACCESS_KEY": "secret",
}


def environment(without: str = "", **variables: str) -> dict[str, str]:
    """Return production's variables, but for one that is left out and those that are given."""
    every = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": SETTINGS, **REQUIRED, **variables}
    return {name: value for name, value in every.items() if name != without}


def load(without: str = "", **variables: str) -> dict[str, Any]:
    """Return the settings; those that Django runs on here stay as they are."""
    given = environment(without, **variables)
    with mock.patch.dict(os.environ, given, clear=True), warnings.catch_warnings(action="ignore"):
        return runpy.run_module(SETTINGS)  # warns that it is loaded already


def manage(*command: str, without: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    """Run manage.py in a process of its own."""
    return subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env=environment(without, **variables),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
