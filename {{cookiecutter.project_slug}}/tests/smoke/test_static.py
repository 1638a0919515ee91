"""image -> static volume -> nginx: hashed names, immutable, precompressed."""

import gzip
import json
import re

import pytest

import stack
from visitor import Visitor


@pytest.fixture
def names(stranger: Visitor) -> list[str]:
    """What the pages themselves ask for."""
    pages = stranger.get("/").text + stranger.get("/accounts/login/").text
    found = sorted(set(re.findall(r'(?:href|src)="(/static/[^"]+)"', pages)))
    assert any(name.endswith(".css") for name in found), "the home page names no style sheet"
    return found


def fetch(stranger: Visitor, name: str, encoding: str) -> tuple[str, bytes]:
    with stranger.stream("GET", name, headers={"Accept-Encoding": encoding}) as answer:
        assert answer.status_code == 200, name
        assert "immutable" in answer.headers["cache-control"], name
        assert "max-age=31536000" in answer.headers["cache-control"], name
        assert answer.headers["x-content-type-options"] == "nosniff", name
        return answer.headers.get("content-encoding", ""), b"".join(answer.iter_raw())


def test_every_file_is_there(stranger: Visitor, names: list[str]) -> None:
    for name in names:
        assert re.search(r"\.[0-9a-f]{12}\.\w+$", name), f"{name} is not hashed"
        assert fetch(stranger, name, "identity")[0] == ""


@pytest.mark.parametrize("encoding", ["br", "gzip"])
def test_precompressed(stranger: Visitor, names: list[str], encoding: str) -> None:
    name = next(name for name in names if name.endswith(".css"))
    plain = fetch(stranger, name, "identity")[1]
    told, body = fetch(stranger, name, f"{encoding}, identity;q=0.1")
    assert told == encoding
    assert len(body) < len(plain)
    if encoding == "gzip":
        assert gzip.decompress(body) == plain


def test_missing_file_is_not_cached(stranger: Visitor) -> None:
    answer = stranger.get("/static/nothing.0123456789ab.css")
    assert answer.status_code == 404
    assert "immutable" not in answer.headers.get("cache-control", "")


def test_nginx_serves_them_itself(stranger: Visitor, names: list[str]) -> None:
    """Its log names the upstream that was asked: none."""
    request = stranger.get(names[0]).headers["x-request-id"]

    def line() -> dict[str, str] | None:
        logs = stack.docker("logs", "--since", "1m", stack.containers("nginx")[0]["Id"]).splitlines()
        return next((json.loads(line) for line in logs if request in line), None)

    assert stack.wait_until("nginx logs the request", line)["upstream"] == ""
