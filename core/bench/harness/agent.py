"""Runs in the container of the servers: starts and ends them, and says what CPU time and memory they used.

One line in, one line out. `cpu`: CPU time of this container in nanoseconds. Else JSON, `{"do": NAME, ...}`.
"""

import json
import os
import signal
import socketserver
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from harness.machine import open_files

V1 = Path("/sys/fs/cgroup/cpuacct/cpuacct.usage")
V2 = Path("/sys/fs/cgroup/cpu.stat")
servers: dict[str, subprocess.Popen[bytes]] = {}


def log(name: str) -> Path:
    return Path(f"/tmp/{name}.log")


def cpu() -> int:
    """CPU time of the container's cgroup, version 1 or 2, in nanoseconds."""
    if V1.exists():
        return int(V1.read_text())
    return int(V2.read_text().split()[1]) * 1000


def start(name: str, argv: list[str], env: dict[str, str], files: dict[str, str]) -> None:
    for path, text in files.items():
        Path(path).write_text(text)
    with log(name).open("ab") as output:
        servers[name] = subprocess.Popen(
            argv,
            env=os.environ | env,
            cwd="/bench/apps",
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def stop(name: str) -> None:
    server = servers.pop(name)
    server.send_signal(signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        server.wait(5)
    for pid in tree(server.pid):
        os.kill(pid, signal.SIGKILL)
    server.wait()


def tree(session: int) -> list[int]:
    """The processes of a server: those of its session."""
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [pid for pid in pids if _session(pid) == session]


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return 0


def ended(name: str) -> bool:
    return servers[name].poll() is not None


def tail(name: str) -> str:
    return "".join(line[:160] + "\n" for line in log(name).read_text(errors="replace").splitlines()[-8:])


def truncate(name: str) -> None:
    """Empties the log, which lies in memory."""
    os.truncate(log(name), 0)


def memory(name: str) -> dict[str, int]:
    """KiB: resident memory of the largest process, proportional share (PSS) of all."""
    resident, share = [0], 0
    for pid in tree(servers[name].pid):
        fields = dict(line.split(":") for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
        resident.append(int(fields["Rss"].split()[0]))
        share += int(fields["Pss"].split()[0])
    return {"resident": max(resident), "share": share}


def spin(seconds: float) -> float:
    """The share of one CPU that this container gets."""
    wall, own = time.monotonic(), time.process_time()
    while time.monotonic() < wall + seconds:
        pass
    return (time.process_time() - own) / (time.monotonic() - wall)


COMMANDS: dict[str, Callable[..., Any]] = {
    command.__name__: command for command in (start, stop, ended, tail, truncate, memory, spin)
}


class Handler(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True

    def handle(self) -> None:
        for line in self.rfile:
            text = str(cpu()) if line == b"cpu\n" else json.dumps(answer(json.loads(line)))
            self.wfile.write(f"{text}\n".encode())


def answer(request: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"value": COMMANDS[request.pop("do")](**request)}
    except Exception as error:  # told to the harness, which ends the case
        return {"error": repr(error)}


if __name__ == "__main__":
    open_files()
    socketserver.ThreadingTCPServer.allow_reuse_address = True
    with socketserver.ThreadingTCPServer(("127.0.0.1", int(sys.argv[1])), Handler) as server:
        server.serve_forever()
