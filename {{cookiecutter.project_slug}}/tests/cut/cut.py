"""The table of wires: how each is cut, and which smoke test must go red."""

import os
import subprocess
import sys
from contextlib import AbstractContextManager
from typing import NamedTuple

import stack
from knives import connected, heal, opened, patched, silent, sql, stopped, told

WRONG_PASSWORD = "/run/secrets/secret_key"


class Cut(NamedTuple):
    wire: str
    test: str
    how: AbstractContextManager[None]


def nginx(file: str, right: str, wrong: str) -> AbstractContextManager[None]:
    return patched("nginx", f"nginx/conf/{file}", f"/etc/nginx/template/{file}", right, wrong)


def code(file: str, right: str, wrong: str, service: str = "web") -> AbstractContextManager[None]:
    """A file of the Django project."""
    return patched(service, f"{stack.SLUG}/{file}", f"/app/{stack.SLUG}/{file}", right, wrong)


def web(**environment: str) -> AbstractContextManager[None]:
    return told(web={"environment": environment})


CUTS = [
    # nginx
    Cut("WebSocket upgrade", "smoke/test_orders_live.py::test_echo", nginx("proxy.conf", r"^.* Upgrade .*$", "")),
    Cut("unknown Host refused", "smoke/test_page.py::test_unknown_host_is_refused",
        nginx("nginx.conf", r"return 421;", "return 200;")),
    Cut("body limit", "smoke/test_page.py::test_body_over_the_limit_is_refused",
        told({"MAX_BODY_SIZE": "100m"}, nginx={})),
    Cut("forwarded address", "smoke/test_forwarding.py::test_the_client_cannot_choose_its_address",
        nginx("proxy.conf", r"X-Forwarded-For .*;", "X-Forwarded-For $proxy_add_x_forwarded_for;")),
    Cut("forwarded user", "smoke/test_forwarding.py::test_the_client_cannot_choose_its_user",
        nginx("proxy.conf", r"^.* Remote-User .*$", "")),
    Cut("request id", "smoke/test_forwarding.py::test_nginx_gives_the_request_id",
        nginx("proxy.conf", r"X-Request-ID \$request_id;", "X-Request-ID $http_x_request_id;")),
    Cut("precompressed files", "smoke/test_static.py::test_precompressed",
        nginx("site.conf", r"^.*(brotli|gzip)_static.*$", "")),
    Cut("immutable caching", "smoke/test_static.py::test_every_file_is_there",
        nginx("site.conf", r"^.*\$static_cache.*$", "")),
    Cut("static volume", "smoke/test_static.py::test_nginx_serves_them_itself",
        nginx("site.conf", r"root /srv;", "root /tmp;")),
    Cut("nosniff on media", "smoke/test_orders_photo.py::test_signed_address_gives_the_photo",
        nginx("media.conf", r"^.*nosniff.*$", "")),

    # web
    Cut("replicas", "smoke/test_orders_live.py::test_broadcast_reaches_every_replica",
        told({"WEB_REPLICAS": "1"}, web={})),
    Cut("channel layer", "smoke/test_orders_live.py::test_broadcast_reaches_every_replica",
        code("settings.py", r"^if QUEUE_URL:\n    CHANNEL_LAYERS", "if False:\n    CHANNEL_LAYERS")),
    Cut("Origin of WebSockets", "smoke/test_orders_live.py::test_foreign_origin_is_refused",
        code("asgi.py", r"\[settings\.PUBLIC_URL\.origin\]", '["*"]')),
    Cut("origin of forms", "smoke/test_page.py::test_foreign_post_is_refused",
        code("settings.py", r"^CSRF_TRUSTED_ORIGINS = .*$", 'CSRF_TRUSTED_ORIGINS = ["https://elsewhere.example"]')),
    Cut("content security policy", "smoke/test_page.py::test_home",
        code("settings.py", r"^.*ContentSecurityPolicyMiddleware.*$", "")),
    Cut("cached sessions", "smoke/test_sessions.py::test_sessions_are_cached", web(CACHE_PASSWORD_FILE=WRONG_PASSWORD)),
    Cut("stored sessions", "smoke/test_sessions.py::test_sessions_outlive_their_cache[flushed]",
        code("settings.py", r"^SESSION_ENGINE = .*$", 'SESSION_ENGINE = "django.contrib.sessions.backends.cache"')),
    Cut("sessions without their cache", "smoke/test_sessions.py::test_sessions_outlive_their_cache[cache_unplugged]",
        code("settings.py", r'"IGNORE_EXCEPTIONS": True', '"IGNORE_EXCEPTIONS": False')),
    Cut("logout without the cache", "smoke/test_sessions.py::test_sessions_outlive_their_cache[cache_unplugged]",
        code("cache.py", r"in commands:$", "in ():")),
    Cut("check of photos", "smoke/test_orders_photo.py::test_what_is_no_photo_is_refused",
        patched("web", "orders/forms.py", "/app/orders/forms.py", r"return check_photo\(photo\).*$", "return photo")),
    Cut("readiness of the database", "smoke/test_health.py::test_not_ready_without_database",
        code("health/views.py", r"^READY = .*$", "READY = {}")),
    Cut("readiness while draining", "smoke/test_health.py::test_not_ready_while_draining",
        code("health/views.py", r"draining = .*$", "draining = False")),
    Cut("token of deep health", "smoke/test_health.py::test_deep_needs_its_token",
        code("health/views.py", r"if not compare_digest.*$", "if False:")),
    Cut("S3 key", "smoke/test_orders_photo.py::test_signed_address_gives_the_photo",
        web(S3_SECRET_ACCESS_KEY_FILE=WRONG_PASSWORD)),
    Cut("health of the cache", "smoke/test_health.py::test_deep_looks_at_every_wire",
        web(CACHE_PASSWORD_FILE=WRONG_PASSWORD)),

    # jobs
    Cut("broker", "smoke/test_orders_job.py::test_the_job_is_done", stopped("redis-queue")),
    Cut("worker", "smoke/test_orders_job.py::test_the_job_is_done", stopped("worker")),
    Cut("outbox sweeper", "smoke/test_orders_job.py::test_orders_wait_for_the_queue",
        code("settings.py", r'^.*"outbox\.sweep".*$', "", "beat")),
    Cut("heartbeat of the worker", "smoke/test_health.py::test_deep_looks_at_every_wire", silent("worker")),
    Cut("heartbeat from beat", "smoke/test_health.py::test_deep_looks_at_every_wire", silent("beat")),
    Cut("health of the storage", "smoke/test_health.py::test_deep_looks_at_every_wire", stopped("s3")),

    # database
    Cut("transaction pooling", "smoke/test_database.py::test_twenty_clients_share_two_connections",
        told({"PGBOUNCER_POOL_MODE": "session"}, pgbouncer={})),
    Cut("pool in between", "smoke/test_database.py::test_twenty_clients_share_two_connections",
        told({"DATABASE_URL": "postgres://app@postgres:5432/app"}, web={})),
    Cut("schema rights", "smoke/test_database.py::test_the_application_cannot_change_the_schema",
        sql("GRANT CREATE ON SCHEMA public TO app", "REVOKE CREATE ON SCHEMA public FROM app")),
    Cut("safe writes", "smoke/test_database.py::test_server_setting",
        told(postgres={"command": ["postgres", "-c", "fsync=off"]})),

    # redis
    Cut("queue rights", "smoke/test_redis.py::test_dangerous_commands_are_refused",
        patched("redis-queue", "redis/queue.acl", "/etc/redis/queue.acl", r" -@dangerous", "")),
    Cut("cache rights", "smoke/test_redis.py::test_dangerous_commands_are_refused",
        patched("redis-cache", "redis/cache.acl", "/etc/redis/cache.acl", r" -@dangerous", "")),
    Cut("queue on disk", "smoke/test_redis.py::test_what_a_killed_server_keeps",
        patched("redis-queue", "redis/queue.conf", "/etc/redis/queue.conf", "appendonly yes", "appendonly no")),
    Cut("queue without eviction", "smoke/test_redis.py::test_full_queue_refuses_and_forgets_nothing",
        patched("redis-queue", "redis/queue.conf", "/etc/redis/queue.conf", "noeviction", "allkeys-lru")),

    # replicas
    Cut("second try of a GET", "load/test_replicas.py::test_killed_replica",
        nginx("proxy.conf", r"proxy_next_upstream error timeout;", "proxy_next_upstream off;")),

    # confinement
    Cut("internal network", "smoke/test_containers.py::test_networks", connected("postgres", "egress")),
    Cut("read-only root", "smoke/test_containers.py::test_every_container", told(redis_cache={"read_only": False})),
    Cut("capabilities", "smoke/test_containers.py::test_every_container", told(redis_cache={"cap_add": ["NET_RAW"]})),
    Cut("published ports", "smoke/test_containers.py::test_only_nginx_is_published",
        told(web={"ports": ["127.0.0.1::8000"]})),
    Cut("secrets in files", "smoke/test_containers.py::test_docker_shows_no_secret",
        told({"LEAK": stack.secret("cache_password")}, redis_cache={"environment": {"LEAK": "${LEAK}"}})),
    Cut("closed secrets", "smoke/test_containers.py::test_secret_files", opened("cache_password")),
]  # fmt: skip


def ask(*tests: str) -> tuple[int, str]:
    """The exit code of pytest, and the first line of what it found wrong."""
    words = [".tools/tests/bin/python", "-m", "pytest", "-c", "tests/stack.ini", "-q", "--exitfirst", "--tb=no",
             "--color=no", *(f"tests/{test}" for test in tests)]  # fmt: skip
    wide = os.environ | {"COLUMNS": "250"}  # so that pytest tells the reason on the test's own line
    done = subprocess.run(words, cwd=stack.ROOT, env=wide, capture_output=True, text=True, timeout=900)
    wrong = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return done.returncode, wrong[0].partition(" - ")[2][:100] if wrong else done.stdout[-300:] + done.stderr[-300:]


def main() -> None:
    exists = lambda cut: (stack.ROOT / "tests" / cut.test.split("::")[0]).exists()  # noqa: E731
    cuts = [cut for cut in CUTS if exists(cut) and os.environ.get("CUT", "") in cut.wire]
    if not cuts:
        sys.exit("cut: no wire has this name")
    print(f"cut: {len(cuts)} wires, first all of them whole", flush=True)
    code, wrong = ask(*sorted({cut.test for cut in cuts}))
    if code:
        sys.exit(f"cut: a test is red with no wire cut: {wrong}")

    os.environ["DEADLINE"] = "8"
    missed = []
    for cut in cuts:
        try:
            with cut.how:
                code, wrong = ask(cut.test)
        except (stack.Failed, AssertionError) as error:
            code, wrong = -1, str(error)
        # 1 is a test that failed; anything else is a test that did not run.
        print(f"cut: {'red  ' if code == 1 else 'GREEN' if code == 0 else 'ERROR'} {cut.wire}: {wrong}", flush=True)
        if code != 1:
            missed.append(cut.wire)
    heal()
    if missed:
        sys.exit(f"cut: nobody noticed: {', '.join(missed)}")
    print(f"cut: all {len(cuts)} red")


if __name__ == "__main__":
    main()
