"""A machine of our making for the host's tools: a project in a path with spaces, a PATH of a few usual commands."""

import os
import shutil
import subprocess
import sys

import pytest
from generation import ROOT

USUAL = """
    awk bash cat chmod cp cut dirname env find grep head id ls mkdir mktemp mv printenv rm sed sh sha256sum sort tail
    timeout
""".split()


class Machine:
    def __init__(self, folder):
        self.project = folder / "a project"
        self.commands = folder / "commands"
        self.commands.mkdir()
        for name in USUAL:
            (self.commands / name).symlink_to(shutil.which(name))
        (self.commands / "python3").symlink_to(os.path.realpath(sys.executable))
        for name in "bin", "base":
            shutil.copytree(ROOT / name, self.project / name)
        self.environment = {"PATH": str(self.commands), "HOME": str(folder)}

    def fake(self, name, script):
        """Put a command into PATH: a shell script."""
        path = self.commands / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def run(self, command, *words, umask=0o022, **environment):
        return subprocess.run(
            [self.project / command, *words],
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=60,
            preexec_fn=lambda: os.umask(umask),
        )


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)
