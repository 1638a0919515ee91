"""What only https has: the overlay compose/tls.yaml."""

import socket
import ssl
from urllib.parse import urlsplit

import httpx
import pytest

import stack
from visitor import Visitor


def shake_hands(**limits: ssl.TLSVersion) -> tuple[str | None, str | None]:
    place = urlsplit(stack.URL)
    context = stack.trust()
    context.set_alpn_protocols(["h2", "http/1.1"])
    for name, version in limits.items():
        setattr(context, name, version)
    with (
        socket.create_connection((place.hostname, place.port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=place.hostname) as secure,
    ):
        return secure.version(), secure.selected_alpn_protocol()


def test_http_2_and_tls_1_3() -> None:
    assert shake_hands() == ("TLSv1.3", "h2")


def test_tls_1_2_still() -> None:
    assert shake_hands(maximum_version=ssl.TLSVersion.TLSv1_2) == ("TLSv1.2", "h2")


def test_no_older_tls() -> None:
    old = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError):
        shake_hands(minimum_version=old, maximum_version=old)


@pytest.mark.parametrize("path", ["/", "/accounts/login/?next=/admin/"])
def test_plain_http_is_sent_to_https(path: str) -> None:
    port = stack.compose("port", "nginx", 8080).strip().rsplit(":", 1)[1]
    answer = httpx.get(f"http://localhost:{port}{path}", trust_env=False, timeout=10)
    assert answer.status_code in (301, 308)
    assert answer.headers["location"] == stack.URL + path


def test_browsers_are_told_to_stay() -> None:
    with Visitor() as visitor:
        assert "max-age=" in visitor.get("/").headers["strict-transport-security"]
