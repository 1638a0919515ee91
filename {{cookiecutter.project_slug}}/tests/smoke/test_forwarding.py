"""What nginx tells the application: an upstream in the place of web tells what it was told."""

import secrets
from collections.abc import Iterator

import pytest

import stack
from visitor import Visitor

UPSTREAM = """
import http.server, json
class Echo(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({name.lower(): value for name, value in self.headers.items()}).encode()
        self.send_response(200)
        self.send_header("X-Echo", "1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
http.server.ThreadingHTTPServer(("0.0.0.0", 8000), Echo).serve_forever()
"""
SPOOFED = {
    "X-Forwarded-For": "6.6.6.6",
    "X-Real-IP": "6.6.6.6",
    "Forwarded": "for=6.6.6.6",
    "X-Forwarded-Host": "elsewhere.example",
    "X-Forwarded-Proto": "gopher",
    "X-Forwarded-Port": "666",
    "X-Request-ID": "the-client-chose-this",
    "Remote-User": "the-client-chose-this-too",
}


@pytest.fixture(scope="module")
def told() -> Iterator[dict[str, str]]:
    """One request's headers as the upstream saw them; `answer:` names those of the answer."""
    name = f"{stack.PROJECT}-upstream-{secrets.token_hex(3)}"
    image = stack.containers("web")[0]["Image"]
    stack.docker(
        "run", "--detach", "--rm", "--name", name, "--network", f"{stack.PROJECT}_edge", "--network-alias", "web",
        "--entrypoint", "python", image, "-c", UPSTREAM,
    )  # fmt: skip
    try:
        with Visitor(headers=SPOOFED) as visitor:
            ask = lambda: (answer := visitor.get("/")).headers.get("x-echo") and answer  # noqa: E731
            answer = stack.wait_until("nginx finds the new upstream", ask, 15)
        yield answer.json() | {f"answer:{name}": value for name, value in answer.headers.items()}
    finally:
        stack.docker("rm", "--force", name)


def test_the_client_cannot_choose_its_address(told: dict[str, str]) -> None:
    assert told["x-forwarded-for"].count(".") == 3
    assert [name for name, value in told.items() if "6.6.6.6" in value and name != "forwarded"] == []


def test_the_client_cannot_choose_its_user(told: dict[str, str]) -> None:
    assert "remote-user" not in told


def test_scheme_and_host_are_the_true_ones(told: dict[str, str]) -> None:
    scheme, place = stack.URL.split("://")
    assert told["x-forwarded-proto"] == scheme
    assert told["host"] == place
    assert told.get("x-forwarded-host", "") == ""


def test_nginx_gives_the_request_id(told: dict[str, str]) -> None:
    assert len(told["x-request-id"]) >= 16
    assert told["x-request-id"] != SPOOFED["X-Request-ID"]
    assert told["answer:x-request-id"] == told["x-request-id"]


def test_every_request_has_its_own_id(stranger: Visitor) -> None:
    answers = [stranger.get("/").headers["x-request-id"] for _ in range(3)]
    assert len(set(answers)) == 3
