"""Health: alive, ready, and the deep look at every wire."""

import httpx
import pytest

import stack
from visitor import Visitor

# Asked inside one replica: nginx would choose another.
ASK = """
import json, os, urllib.error, urllib.request
from urllib.parse import urlsplit
place = urlsplit(os.environ["PUBLIC_URL"])
headers = {"Host": place.netloc, "X-Forwarded-Proto": place.scheme}
request = urllib.request.Request("http://127.0.0.1:8000/health/ready", headers=headers)
try:
    print(urllib.request.urlopen(request, timeout=5).status)
except urllib.error.HTTPError as error:
    print(error.code)
"""


def deep(visitor: Visitor, token: str | None = None) -> httpx.Response:
    token = stack.secret("health_token") if token is None else token
    return visitor.get("/health/deep", headers={"X-Health-Token": token})


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_healthy(stranger: Visitor, path: str) -> None:
    assert stranger.get(path).status_code == 200


def test_deep_looks_at_every_wire(stranger: Visitor) -> None:
    answer = deep(stranger)
    assert answer.status_code == 200, answer.text
    told = answer.text.lower()
    for wire in ("database", "cache", "broker", "storage", "worker"):
        assert wire in told, f"{wire} is not looked at"
    assert "rediscache" in told, "the cache in use is not told"
    assert "redischannellayer" in told or "redispubsubchannellayer" in told, "the channel layer in use is not told"


@pytest.mark.parametrize("token", ["", "wrong", "é"])
def test_deep_needs_its_token(stranger: Visitor, token: str) -> None:
    answer = stranger.get("/health/deep", headers={"X-Health-Token": token.encode()} if token else {})
    assert answer.status_code in (401, 403, 404)
    assert "database" not in answer.text.lower()


@pytest.mark.fault
def test_not_ready_without_database(stranger: Visitor) -> None:
    ready = lambda: stranger.get("/health/ready")  # noqa: E731
    with stack.stopped("postgres"):
        stack.wait_until("ready answers 503", lambda: ready().status_code == 503)
        assert stranger.get("/health/live").status_code == 200
        told = (ready().text + deep(stranger).text).lower()
        for word in ("traceback", "operationalerror", "postgres:", "password", "pgbouncer"):
            assert word not in told, "exception text in a public answer"
        assert deep(stranger).status_code == 503
    stack.wait_until("ready answers 200 again", lambda: ready().status_code == 200)


@pytest.mark.fault
def test_not_ready_while_draining() -> None:
    replica = stack.containers("web")[0]["Id"]

    def answer() -> str:
        return stack.docker("exec", replica, "python", "-c", ASK).strip()

    assert answer() == "200"
    stack.docker("exec", replica, "touch", "/tmp/draining")
    try:
        assert answer() == "503"
    finally:
        stack.docker("exec", replica, "rm", "/tmp/draining")
    assert answer() == "200"
