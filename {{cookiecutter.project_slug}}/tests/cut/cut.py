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
    Cut("WebSocket upgrade", "test_orders_live.py::test_echo", nginx("proxy.conf", r"^.* Upgrade .*$", "")),
    Cut("unknown Host refused", "test_page.py::test_unknown_host_is_refused",
        nginx("nginx.conf", r"return 421;", "return 200;")),
    Cut("body limit", "test_page.py::test_body_over_the_limit_is_refused",
        told({"MAX_BODY_SIZE": "100m"}, nginx={})),
    Cut("forwarded address", "test_forwarding.py::test_the_client_cannot_choose_its_address",
        nginx("proxy.conf", r"X-Forwarded-For .*;", "X-Forwarded-For $proxy_add_x_forwarded_for;")),
    Cut("request id", "test_forwarding.py::test_nginx_gives_the_request_id",
        nginx("proxy.conf", r"X-Request-ID \$request_id;", "X-Request-ID $http_x_request_id;")),
    Cut("precompressed files", "test_static.py::test_precompressed",
        nginx("site.conf", r"^.*(brotli|gzip)_static.*$", "")),
    Cut("immutable caching", "test_static.py::test_every_file_is_there",
        nginx("site.conf", r"^.*\$static_cache.*$", "")),
    Cut("static volume", "test_static.py::test_nginx_serves_them_itself",
        told(nginx={"volumes": [{"type": "tmpfs", "target": "/srv/static"}]})),
    Cut("nosniff on media", "test_orders_photo.py::test_signed_address_gives_the_photo",
        nginx("media.conf", r"^.*nosniff.*$", "")),

    # web
    Cut("replicas", "test_orders_live.py::test_broadcast_reaches_every_replica", told({"WEB_REPLICAS": "1"}, web={})),
    Cut("channel layer", "test_orders_live.py::test_broadcast_reaches_every_replica",
        code("settings.py", r'"channels_redis[\w.]+"', '"channels.layers.InMemoryChannelLayer"')),
    Cut("Origin of WebSockets", "test_orders_live.py::test_foreign_origin_is_refused",
        code("asgi.py", r"\[settings\.PUBLIC_URL\.origin\]", '["*"]')),
    Cut("CSRF token", "test_page.py::test_foreign_post_is_refused",
        code("settings.py", r"^.*CsrfViewMiddleware.*$", "")),
    Cut("content security policy", "test_page.py::test_home",
        code("settings.py", r"^.*ContentSecurityPolicyMiddleware.*$", "")),
    Cut("cached sessions", "test_sessions.py::test_sessions_are_cached", web(CACHE_PASSWORD_FILE=WRONG_PASSWORD)),
    Cut("stored sessions", "test_sessions.py::test_sessions_outlive_their_cache[flushed]",
        code("settings.py", r"^SESSION_ENGINE = .*$", 'SESSION_ENGINE = "django.contrib.sessions.backends.cache"')),
    Cut("S3 key", "test_orders_photo.py::test_signed_address_gives_the_photo",
        web(S3_SECRET_ACCESS_KEY_FILE=WRONG_PASSWORD)),
    Cut("health of the cache", "test_health.py::test_deep_looks_at_every_wire",
        web(CACHE_PASSWORD_FILE=WRONG_PASSWORD)),

    # jobs
    Cut("broker", "test_orders_job.py::test_the_job_is_done", stopped("redis-queue")),
    Cut("worker", "test_orders_job.py::test_the_job_is_done", stopped("worker")),
    Cut("heartbeat of the worker", "test_health.py::test_deep_looks_at_every_wire", silent("worker")),
    Cut("heartbeat from beat", "test_health.py::test_deep_looks_at_every_wire", silent("beat")),
    Cut("health of the storage", "test_health.py::test_deep_looks_at_every_wire", stopped("s3")),

    # database
    Cut("transaction pooling", "test_database.py::test_twenty_clients_share_two_connections",
        told({"PGBOUNCER_POOL_MODE": "session"}, pgbouncer={})),
    Cut("pool in between", "test_database.py::test_twenty_clients_share_two_connections",
        told({"DATABASE_URL": "postgres://app@postgres:5432/app"}, web={})),
    Cut("schema rights", "test_database.py::test_the_application_cannot_change_the_schema",
        sql("GRANT CREATE ON SCHEMA public TO app", "REVOKE CREATE ON SCHEMA public FROM app")),
    Cut("safe writes", "test_database.py::test_server_setting",
        told(postgres={"command": ["postgres", "-c", "fsync=off"]})),

    # redis
    Cut("queue rights", "test_redis.py::test_dangerous_commands_are_refused",
        patched("redis-queue", "redis/queue.acl", "/etc/redis/queue.acl", r" -@dangerous", "")),
    Cut("cache rights", "test_redis.py::test_dangerous_commands_are_refused",
        patched("redis-cache", "redis/cache.acl", "/etc/redis/cache.acl", r" -@dangerous", "")),
    Cut("queue on disk", "test_redis.py::test_what_a_killed_server_keeps",
        patched("redis-queue", "redis/queue.conf", "/etc/redis/queue.conf", "appendonly yes", "appendonly no")),
    Cut("queue without eviction", "test_redis.py::test_full_queue_refuses_and_forgets_nothing",
        patched("redis-queue", "redis/queue.conf", "/etc/redis/queue.conf", "noeviction", "allkeys-lru")),

    # confinement
    Cut("internal network", "test_containers.py::test_networks", connected("postgres", "egress")),
    Cut("read-only root", "test_containers.py::test_every_container", told(redis_cache={"read_only": False})),
    Cut("capabilities", "test_containers.py::test_every_container", told(redis_cache={"cap_add": ["NET_RAW"]})),
    Cut("published ports", "test_containers.py::test_only_nginx_is_published",
        told(web={"ports": ["127.0.0.1::8000"]})),
    Cut("secrets in files", "test_containers.py::test_docker_shows_no_secret",
        told({"LEAK": stack.secret("cache_password")}, redis_cache={"environment": {"LEAK": "${LEAK}"}})),
    Cut("closed secrets", "test_containers.py::test_secret_files", opened("cache_password")),
]  # fmt: skip


def ask(*tests: str) -> tuple[int, str]:
    """The exit code of pytest, and the first line of what it found wrong."""
    words = [".tools/tests/bin/python", "-m", "pytest", "-c", "tests/stack.ini", "-q", "--exitfirst", "--tb=no",
             "--color=no", *(f"tests/smoke/{test}" for test in tests)]  # fmt: skip
    done = subprocess.run(words, cwd=stack.ROOT, capture_output=True, text=True, timeout=900)
    wrong = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return done.returncode, wrong[0].partition(" - ")[2][:100] if wrong else done.stdout[-300:] + done.stderr[-300:]


def main() -> None:
    exists = lambda cut: (stack.ROOT / "tests/smoke" / cut.test.split("::")[0]).exists()  # noqa: E731
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
