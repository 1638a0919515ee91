"""The servers that are compared, each as its own documentation recommends it for production, in one process.

Their access logs are off (Rivet's is on, to a file), as are their metrics.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path

MANAGE = ["python3", "manage.py"]
GTHREAD = ["gunicorn", "--bind", "127.0.0.1:{port}", "--worker-class", "gthread", "--threads", "4"]
UVICORN = ["uvicorn", "--host", "127.0.0.1", "--no-access-log", "--log-level", "warning", "--backlog", "2048"]
GRANIAN = ["granian", "--workers", "1", "--log-level", "warning"]


@dataclass(frozen=True)
class Server:
    """`{port}` is filled in. `web` stands behind this one, which is then an nginx that hands all on to it."""

    title: str
    argv: list[str]
    env: dict[str, str] = field(default_factory=dict)
    site: str = ""
    web: str = ""


def rivet(*flags: str, **env: str) -> Server:
    path = {"PYTHONPATH": os.environ.get("BENCH_PYTHONPATH", "")}
    argv = [*MANAGE, "runrivet", "--host", "127.0.0.1", "--port", "{port}", *flags]
    return Server("Rivet", argv, {"BENCH_NATIVE": "rivet", **path, **env})


def bolt(*flags: str, **env: str) -> Server:
    argv = [*MANAGE, "runbolt", "--host", "127.0.0.1", "--port", "{port}", "--processes", "1", *flags]
    return Server("django-bolt", argv, {"BENCH_NATIVE": "bolt", **env})


def nginx(title: str, site: str, web: str = "") -> Server:
    return Server(title, ["nginx", "-c", "/tmp/nginx-{port}.conf"], site=site, web=web)


def granian(interface: str, application: str, *flags: str, title: str = "", **env: str) -> Server:
    argv = [*GRANIAN, "--interface", interface, "--port", "{port}", *flags, application]
    return Server(title or f"granian {interface.upper()}", argv, env)


def uvicorn(application: str, *flags: str, title: str = "uvicorn", **env: str) -> Server:
    return Server(title, [*UVICORN, "--port", "{port}", *flags, application], env)


WSGI, ASGI = "project.wsgi:application", "project.asgi:application"
POSTGRES = {"BENCH_DATABASE": "postgres"}

SERVERS = {
    "rivet": rivet(),
    "rivet-compressing": rivet(RIVET_COMPRESSION="zstd,gzip"),
    "rivet-postgres": rivet(**POSTGRES),
    "rivet-many-sockets": rivet(RIVET_MAX_CONNECTIONS="12000", RIVET_MAX_IN_FLIGHT="12000"),
    "rivet-static": rivet(RIVET_STATIC="on"),
    "rivet-2": rivet("--processes", "2"),
    "rivet-4": rivet("--processes", "4"),
    "bolt": bolt(),
    "bolt-postgres": bolt(**POSTGRES),
    "bolt-2": bolt("--processes", "2"),
    "bolt-4": bolt("--processes", "4"),
    "nginx": nginx("nginx `return 200`", "json"),
    "nginx-static": nginx("nginx", "static"),
    "granian": granian("wsgi", WSGI),
    "granian-postgres": granian("wsgi", WSGI, **POSTGRES),
    "granian-2": granian("wsgi", WSGI, "--workers", "2"),
    "granian-4": granian("wsgi", WSGI, "--workers", "4"),
    "granian-raw": granian("wsgi", "peers.raw:wsgi", title="granian, raw WSGI"),
    "granian-mixed": granian("wsgi", "peers.mixed:application"),
    "granian-websocket": granian("asgi", "peers.websocket:application"),
    "gunicorn": Server("gunicorn gthread", [*GTHREAD, WSGI]),
    "uvicorn": uvicorn(ASGI),
    "uvicorn-raw": uvicorn("peers.raw:asgi", title="uvicorn, raw ASGI"),
    "uvicorn-websocket": uvicorn("peers.websocket:application", "--ws", "websockets-sansio"),
    "fastapi": uvicorn("peers.fastapi_app:app", title="FastAPI"),
    "fastapi-postgres": uvicorn("peers.fastapi_app:app", title="FastAPI and Django's ORM", **POSTGRES),
    "fastapi-sqlmodel": uvicorn("peers.fastapi_sqlmodel:app", title="FastAPI and SQLModel"),
    "robyn": Server("Robyn", ["python3", "peers/robyn_app.py", "--log-level", "WARN", "--fast"], {"PORT": "{port}"}),
    "nginx-rivet": nginx("nginx + Rivet", "proxy", "rivet"),
    "nginx-granian": nginx("nginx + granian", "proxy", "granian"),
    "nginx-granian-raw": nginx("nginx + granian, raw WSGI", "proxy", "granian-raw"),
    "nginx-uvicorn": nginx("nginx + uvicorn", "proxy", "uvicorn"),
    "nginx-uvicorn-raw": nginx("nginx + uvicorn, raw ASGI", "proxy", "uvicorn-raw"),
}


def command(server: Server, port: int) -> dict[str, object]:
    """What the agent needs to start it."""
    files = {}
    if server.site:
        text = Path("/bench/apps/nginx/main.conf").read_text()
        for name, value in {"$port": port, "$upstream": port + 50, "$site": server.site}.items():
            text = text.replace(name, str(value))
        files[f"/tmp/nginx-{port}.conf"] = text
    argv = [word.replace("{port}", str(port)) for word in server.argv]
    env = {name: value.replace("{port}", str(port)) for name, value in server.env.items()}
    return {"argv": argv, "env": env, "files": files}
