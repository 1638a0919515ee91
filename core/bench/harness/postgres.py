"""PostgreSQL and PgBouncer on the generator's core."""

import os
import subprocess
from pathlib import Path

from harness.link import Failed, connect

DATA = Path("/bench/data/postgres")
READY = Path("/tmp/postgres-ready")
BOUNCER = """\
[databases]
bench = host=127.0.0.1 port=5432 user=bench
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = 6432
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 20
max_client_conn = 500
logfile = /tmp/pgbouncer.log
pidfile = /tmp/pgbouncer.pid
"""


def start() -> None:
    """Once; a second call does nothing."""
    if READY.exists():
        return
    binaries = next(Path("/usr/lib/postgresql").iterdir()) / "bin"
    data = ["--pgdata", str(DATA)]
    _run(str(binaries / "initdb"), *data, "--username", "bench", "--auth", "trust", "--no-sync")
    options = "-c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -c shared_buffers=64MB"
    _run(str(binaries / "pg_ctl"), *data, "--options", options, "--log", "/tmp/postgres.log", "--wait", "start")
    _run(str(binaries / "createdb"), "--host", "127.0.0.1", "--username", "bench", "bench")
    Path("/tmp/pgbouncer.ini").write_text(BOUNCER)
    _run("/usr/sbin/pgbouncer", "--daemon", "/tmp/pgbouncer.ini")
    connect(6432, 10).close()
    _run("python3", "/bench/apps/fill.py", BENCH_DATABASE="postgres")
    READY.touch()


def _run(*argv: str, **env: str) -> None:
    # To a file: a daemon that inherits a pipe would keep it open.
    with open("/tmp/command.log", "w+") as output:
        if subprocess.run(argv, env=os.environ | env, stdout=output, stderr=output, timeout=120).returncode:
            output.seek(0)
            raise Failed(f"{argv[0]}: {output.read()[-500:]}")
