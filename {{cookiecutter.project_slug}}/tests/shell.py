"""Django in a container of the stack, asked again and again: a start takes seconds, a job none."""

import json
import subprocess
import threading
from pathlib import Path
from typing import Any

# Django starts once, and each job runs in a child of its own.
SERVE = """
import json, os, sys, traceback
for line in sys.stdin:
    there, here = os.pipe()
    if child := os.fork():
        os.close(here)
        with os.fdopen(there) as told:
            answer = told.read()
        os.waitpid(child, 0)
        print(answer or json.dumps({"error": "the job ended without an answer"}), flush=True)
        continue
    os.dup2(2, 1)  # what the code prints is no answer
    try:
        job = json.loads(line)
        scope = job["values"]
        exec(job["code"], scope)
        answer = json.dumps({"result": scope.get("result")})
    except BaseException:
        answer = json.dumps({"error": traceback.format_exc()})
    with os.fdopen(here, "w") as told:
        told.write(answer)
    os._exit(0)
"""


class Failed(Exception):
    """A command did not work; the message says which and why."""


class Shell:
    """What `container`, a command, runs inside it; standard input keeps the values off every command line."""

    def __init__(self, *container: object, cwd: Path) -> None:
        command = [*map(str, container), "python", "manage.py", "shell", "--no-imports", "-c", SERVE]
        self.process = subprocess.Popen(command, cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, job: dict[str, object], timeout: float = 120) -> Any:
        assert self.process.stdin
        assert self.process.stdout
        late = threading.Timer(timeout, self.process.kill)
        late.start()
        try:
            self.process.stdin.write(json.dumps(job) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            late.cancel()
        if not line:
            raise Failed(f"Django's shell ended with exit code {self.process.wait(timeout)}, see its errors")
        answer = json.loads(line)
        if "error" in answer:
            raise Failed(answer["error"])
        return answer["result"]

    def lives(self) -> bool:
        """Asked by an empty job: the command that reaches into a container may outlive it for a moment."""
        try:
            self.run({"code": "", "values": {}})
        except Failed:
            return False
        return True

    def close(self) -> None:
        """The end of its input is its end."""
        try:
            self.process.communicate(timeout=10)
        except (subprocess.TimeoutExpired, BrokenPipeError):
            self.process.kill()
            self.process.wait()
