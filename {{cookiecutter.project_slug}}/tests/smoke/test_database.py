"""web -> PgBouncer (transaction pooling) -> PostgreSQL, and what the roles may do there."""

import os
import time

import pytest

import stack
from visitor import Visitor

SHOW = """
import psycopg
console = {"host": "pgbouncer", "port": 6432, "dbname": "pgbouncer", "user": "stats", "password": password}
with psycopg.connect(**console, autocommit=True, connect_timeout=5) as connection:
    rows = connection.execute(f"SHOW {what}")
    names = [column.name for column in rows.description]
    result = [dict(zip(names, map(str, row))) for row in rows]
"""

# Each client stays connected until the last one has been served: only then are connections shared.
TWENTY_CLIENTS = """
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from django.db import connection
served = Barrier(20, timeout=20)
def client(number):
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid(), pg_sleep(0.05)")
            pid = cursor.fetchone()[0]
        served.wait()
        return pid
    finally:
        connection.close()
with ThreadPoolExecutor(20) as pool:
    result = list(pool.map(client, range(20)))
"""

TRY_STATEMENTS = """
from django.db import ProgrammingError, connection, transaction
result = {}
for statement in statements:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
            transaction.set_rollback(True)
        result[statement] = "allowed"
    except ProgrammingError as error:
        result[statement] = error.__cause__.sqlstate
"""
REFUSED = "42501"  # insufficient_privilege
MOST_THREADS = 8 + 4  # of a replica: RIVET_WORKERS, the event loop, and those of the health checks
SCHEMA_CHANGES = [
    "CREATE TABLE smoke ()",
    "CREATE SCHEMA smoke",
    "CREATE ROLE smoke",
    "CREATE TEMPORARY TABLE smoke ()",
    "ALTER TABLE django_session ADD smoke int",
    "DROP TABLE django_session",
    "TRUNCATE django_session",
    "CREATE INDEX ON django_session (session_data)",
    "COPY django_session TO PROGRAM 'cat'",
]


def psql(query: str) -> str:
    """As the superuser, who has no network login: only the local socket lets it in."""
    return stack.compose("exec", "-T", "postgres", "psql", "-U", "postgres", "-d", "app", "-tAc", query).strip()


def show(what: str) -> list[dict[str, str]]:
    """What PgBouncer's console tells of the application."""
    rows = stack.django(SHOW, what=what, password=stack.secret("pgbouncer_stats_password"))
    return [row for row in rows if (row["database"], row["user"]) == ("app", "app")]


def app_pool() -> dict[str, str]:
    return show("POOLS")[0]


def test_pool_mode_is_transaction() -> None:
    assert app_pool()["pool_mode"] == "transaction"


def test_twenty_clients_share_two_connections() -> None:
    pids = stack.django(TWENTY_CLIENTS)
    assert len(pids) == 20
    assert len(set(pids)) <= 2
    pool = app_pool()
    assert int(pool["sv_active"]) + int(pool["sv_idle"]) <= 2


def test_threads_keep_their_connection(member: Visitor) -> None:
    """rivet's do, for CONN_MAX_AGE; uvicorn has a new one for each request. Either way there are few."""
    replicas = {address for box in stack.containers("web") for address in stack.addresses_of(box)}

    def connections() -> dict[tuple[str, str], str]:
        """When each was used last."""
        for _ in range(30):
            assert member.get("/admin/").status_code == 200
        clients = [client for client in show("CLIENTS") if client["addr"] in replicas]
        return {(client["addr"], client["port"]): client["request_time"] for client in clients}

    before = after = connections()
    # PgBouncer's times are whole seconds: only in a later one a use can be told from the one before.
    later = time.monotonic() + 1.5
    while time.monotonic() < later:
        after = connections()
    kept = [name for name in before.keys() & after.keys() if before[name] != after[name]]
    assert bool(kept) is (os.environ.get("WEB_SERVER", "rivet") == "rivet")
    assert len(after) <= len(stack.containers("web")) * MOST_THREADS


def test_the_application_cannot_change_the_schema() -> None:
    answers = stack.django(TRY_STATEMENTS, statements=SCHEMA_CHANGES)
    assert answers == dict.fromkeys(SCHEMA_CHANGES, REFUSED)


def test_the_application_reads_and_writes() -> None:
    statements = ["SELECT * FROM django_session", "DELETE FROM django_session", "SELECT pg_advisory_xact_lock(1)"]
    assert stack.django(TRY_STATEMENTS, statements=statements) == dict.fromkeys(statements, "allowed")


def test_only_migrate_knows_the_owner() -> None:
    holders = {
        stack.service_of(box)
        for box in stack.containers(stopped=True)
        if any(mount["Destination"].endswith("/database_owner_password") for mount in box["Mounts"])
    }
    assert holders == {"migrate", "postgres"}


def test_tables_belong_to_the_owner() -> None:
    assert psql("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'") == "owner"


def test_the_superuser_has_no_network_login() -> None:
    code = """
import psycopg
try:
    psycopg.connect(host="postgres", port=5432, dbname="app", user="postgres", password=password, connect_timeout=5)
    result = "let in"
except psycopg.OperationalError as error:
    result = str(error)
"""
    answer = stack.django(code, password=stack.secret("database_owner_password"))
    assert "pg_hba.conf" in answer or "authentication failed" in answer


@pytest.mark.parametrize(
    ("setting", "value"),
    [("data_checksums", "on"), ("fsync", "on"), ("synchronous_commit", "on"), ("password_encryption", "scram-sha-256")],
)
def test_server_setting(setting: str, value: str) -> None:
    assert psql(f"SHOW {setting}") == value


def test_slow_queries_can_be_found() -> None:
    assert psql("SELECT count(*) > 0 FROM pg_stat_statements") == "t"
    assert psql("SHOW log_min_duration_statement") != "-1"
