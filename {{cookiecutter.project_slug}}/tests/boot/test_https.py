"""What only https has: the overlay compose/tls.yaml."""

import socket
import ssl
from urllib.parse import urlsplit

import httpx
import pytest

import stack
from visitor import Visitor


def shake_hands(version: ssl.TLSVersion) -> tuple[str | None, str | None]:
    place = urlsplit(stack.URL)
    context = stack.trust()
    context.set_alpn_protocols(["h2", "http/1.1"])
    context.set_ciphers("ALL:@SECLEVEL=0")  # it is the server who refuses what is old, not this client
    context.minimum_version = context.maximum_version = version
    with (
        socket.create_connection((place.hostname, place.port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=place.hostname) as secure,
    ):
        return secure.version(), secure.selected_alpn_protocol()


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_http_2(version: str) -> None:
    assert shake_hands(ssl.TLSVersion[version]) == (version.replace("_", "."), "h2")


@pytest.mark.filterwarnings("ignore:.*TLSv1:DeprecationWarning")
@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1"])
def test_old_tls_is_refused(version: str) -> None:
    with pytest.raises(ssl.SSLError, match=r"(?i)alert"):
        shake_hands(ssl.TLSVersion[version])


@pytest.mark.parametrize("path", ["/", "/accounts/login/?next=/admin/"])
def test_plain_http_is_sent_to_https(path: str) -> None:
    port = stack.compose("port", "nginx", 8080).strip().rsplit(":", 1)[1]
    answer = httpx.get(f"http://localhost:{port}{path}", trust_env=False, timeout=10)
    assert answer.status_code in (301, 308)
    assert answer.headers["location"] == stack.URL + path


def test_browsers_are_told_to_stay() -> None:
    with Visitor() as visitor:
        assert "max-age=" in visitor.get("/").headers["strict-transport-security"]
