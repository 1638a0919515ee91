"""The machine: its limits, and what a reader must know of it and of the versions."""

import os
import platform
import re
import resource
import subprocess
from importlib.metadata import version
from pathlib import Path


def facts() -> dict[str, str]:
    names = re.findall(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    packages = ("Django", "django-bolt", "granian", "uvicorn", "gunicorn", "robyn", "fastapi", "sqlmodel")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    nginx = subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=True).stderr.split("/")[-1].strip()
    kernel = ".".join(platform.release().split(".")[:2])
    return {
        "machine": f"{os.cpu_count()} CPUs ({names[0] if names else platform.machine()}), Linux {kernel}",
        "versions": f"Python {platform.python_version()}, {versions}, nginx {nginx}",
    }


def open_files() -> None:
    """Lets this process and its children open as many files as they may: 10,000 sockets exceed the usual 1,024."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
