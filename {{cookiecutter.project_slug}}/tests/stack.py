"""The stack under test, seen from the host: its commands, its containers, its address."""

import atexit
import json
import os
import re
import secrets
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from shell import Failed as Failed
from shell import Shell

ROOT = Path(__file__).resolve().parent.parent
SLUG = re.search(r"^name: *(\w+)", (ROOT / "compose.yaml").read_text(), re.MULTILINE)[1]
PROJECT = f"{SLUG}-test"
OPTIONS = ("-p", PROJECT, "--env-file", "tests/stack.env")
TOOLS = ("-p", f"{SLUG}-tools", "--project-directory", ".", "-f", "tests/compose.yaml")
USER = f"{os.getuid()}:{os.getgid()}"
LABEL = "label=com.docker.compose"
URL = os.environ.get("PUBLIC_URL", "")
DEADLINE = float(os.environ.get("DEADLINE", "30"))  # `make cut` expects failures, and waits less for them


def run(*command: object, stdin: str | None = None, timeout: float = 120, cwd: Path = ROOT) -> str:
    words = [str(word) for word in command]
    shown = " ".join(words[:9])
    try:
        done = subprocess.run(words, cwd=cwd, input=stdin, capture_output=True, text=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        raise Failed(f"{shown}: not done after {timeout:g} s") from None
    if done.returncode:
        *_, reason = ["no word", *filter(None, done.stderr.splitlines())]
        raise Failed(f"{reason.strip()}\n{shown}: exit code {done.returncode}\n{done.stderr[-3000:]}")
    return done.stdout


def docker(*words: object, timeout: float = 60) -> str:
    return run("docker", *words, timeout=timeout)


def compose(*words: object, root: Path = ROOT, **options: Any) -> str:
    """`bin/compose` on the test stack; COMPOSE_FILE in the environment adds overlays."""
    return run(root / "bin/compose", *OPTIONS, *words, cwd=root, **options)


def tool(*words: object, **options: Any) -> str:
    """A container of tests/compose.yaml, as the one who may read the project."""
    return run(ROOT / "bin/compose", *TOOLS, "run", "--rm", "-T", "--user", USER, *words, **options)


def up(*words: object, root: Path = ROOT) -> None:
    """Start what does not run as configured, and return when all of it is healthy."""
    compose("up", "--detach", "--wait", "--wait-timeout", 300, *words, root=root, timeout=330)


def containers(service: str = "", *, stopped: bool = False) -> list[dict[str, Any]]:
    """`docker inspect` of the stack's containers, or of one service's."""
    filters = ["--filter", f"{LABEL}.project={PROJECT}", "--filter", f"{LABEL}.oneoff=False"]
    if service:
        filters += ["--filter", f"{LABEL}.service={service}"]
    ids = docker("ps", "--quiet", *(["--all"] if stopped else []), *filters).split()
    return inspect(*ids) if ids else []


def inspect(*ids: str) -> list[dict[str, Any]]:
    return json.loads(docker("inspect", *ids))


def service_of(container: dict[str, Any]) -> str:
    return container["Config"]["Labels"]["com.docker.compose.service"]


def networks_of(container: dict[str, Any]) -> set[str]:
    return {name.removeprefix(f"{PROJECT}_") for name in container["NetworkSettings"]["Networks"]}


def addresses_of(container: dict[str, Any]) -> set[str]:
    return {network["IPAddress"] for network in container["NetworkSettings"]["Networks"].values()}


def hostname_of(container: dict[str, Any]) -> str:
    return container["Config"]["Hostname"]


def ailing() -> list[str]:
    """The services that have a container whose health is known and not good."""
    return [
        service_of(box) for box in containers() if box["State"].get("Health", {}).get("Status", "healthy") != "healthy"
    ]


def secret(name: str) -> str:
    return (ROOT / "secrets" / name).read_text()


def wait_until(what: str, condition: Callable[[], Any], deadline: float = DEADLINE) -> Any:
    """Ask until the condition holds, and return what it answered."""
    end = time.monotonic() + deadline
    while not (answer := condition()):
        assert time.monotonic() < end, f"not within {deadline:g} s: {what}"
        time.sleep(0.2)
    return answer


shells: dict[str, Shell] = {}


def close_shells() -> None:
    """They take memory in their containers."""
    while shells:
        shells.popitem()[1].close()


atexit.register(close_shells)


def django(code: str, service: str = "web", **values: object) -> Any:
    """Run code inside Django, in a container of the stack, and return what it left in `result`."""
    if service in shells and not shells[service].lives():
        shells.pop(service).close()
    if service not in shells:
        shells[service] = Shell(ROOT / "bin/compose", *OPTIONS, "exec", "-T", service, cwd=ROOT)
    return shells[service].run({"code": code, "values": values})


class User:
    """A new account with every right; the password is on no command line."""

    ADD = """
from django.contrib.auth import get_user_model
get_user_model().objects.create_superuser(name, f"{name}@example.com", password)
"""

    def __init__(self) -> None:
        self.name = f"test-{secrets.token_hex(4)}"
        self.password = secrets.token_urlsafe(16)
        django(self.ADD, name=self.name, password=self.password)


@contextmanager
def stopped(service: str) -> Iterator[None]:
    compose("stop", service)
    try:
        yield
    finally:
        compose("start", service)
        wait_until("all is healthy again", lambda: not ailing(), 90)


@contextmanager
def unplugged(service: str) -> Iterator[None]:
    """The network cable pulled: peers are not refused but left without an answer."""
    pulled = [(network, box["Id"]) for box in containers(service) for network in box["NetworkSettings"]["Networks"]]
    for network, box in pulled:
        docker("network", "disconnect", network, box)
    try:
        yield
    finally:
        for network, box in pulled:
            docker("network", "connect", "--alias", service, network, box)


@cache
def certificate() -> str:
    place = urlsplit(URL)
    return ssl.get_server_certificate((place.hostname, place.port), timeout=10)


def trust() -> ssl.SSLContext:
    """For the stack's own certificate, and nothing else."""
    context = ssl.create_default_context(cadata=certificate())
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # it may be issued by an authority that is not sent along
    return context


def tls() -> ssl.SSLContext | None:
    return trust() if URL.startswith("https") else None
