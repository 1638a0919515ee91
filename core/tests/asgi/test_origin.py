"""Which pages may open WebSockets, native ones and those of ASGI applications."""

import pytest
from django.test import override_settings
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from django_rivet.origin import origin_check
from server import serve
from test_websocket import echo


class Handshake:
    """What the check looks at."""

    def __init__(self, origin, host="example.com"):
        self.fields = {"origin": origin, "host": host}

    def header(self, name):
        return self.fields[name]


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (None, True),  # no browser
        ("https://example.com", True),
        ("http://EXAMPLE.com:8000", True),
        ("https://example.org", True),
        ("https://deep.sub.example.org", True),
        ("http://127.0.0.1:5173", True),
        ("https://shop.example.net", True),  # CSRF_TRUSTED_ORIGINS
        ("https://a.partner.example", True),
        ("http://shop.example.net", False),
        ("https://shop.example.net:444", False),
        ("https://partner.example", True),  # as Django has it
        ("https://notpartner.example", False),
        ("https://evil.test", False),
        ("https://example.com.evil.test", False),
        ("https://evilexample.com", False),
        ("https://example.com@evil.test", False),
        ("ftp://example.com", False),
        ("null", False),
        ("", False),
        ("file://", False),
        ("https://", False),
        ("https://[::1", False),
        ("https://example.com:port", False),
        ("//example.com", False),
    ],
)
def test_the_default_follows_allowed_hosts_and_csrf_trusted_origins(origin, allowed):
    assert origin_check()(Handshake(origin)) is allowed


@pytest.mark.parametrize(
    ("origin", "host", "allowed"),
    [
        ("https://example.com", "example.com", True),
        ("http://Example.com:8000", "example.com:8000", True),
        ("https://evil.test", "example.com", False),
        ("http://example.com:5173", "example.com:8000", False),
        ("https://shop.example.net", "example.com", True),
        ("https://evil.test", None, False),
    ],
)
@override_settings(ALLOWED_HOSTS=["*"])
def test_any_allowed_host_means_the_same_host(origin, host, allowed):
    assert origin_check()(Handshake(origin, host)) is allowed


@pytest.mark.parametrize(("debug", "allowed"), [(True, True), (False, False)])
def test_localhost_while_debugging(debug, allowed):
    with override_settings(ALLOWED_HOSTS=[], DEBUG=debug):
        assert origin_check()(Handshake("http://localhost:8000")) is allowed


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://a.example.info", True),
        ("https://app.example", True),
        ("capacitor://localhost", True),
        ("https://example.com", False),  # replaces the default
        ("https://shop.example.net", False),
        (None, True),
    ],
)
def test_listed_origins_replace_the_default(origin, allowed):
    check = origin_check("https://*.example.info,https://app.example,capacitor://localhost")
    assert check(Handshake(origin)) is allowed


def test_a_star_allows_all():
    assert origin_check("*")(Handshake("https://evil.test"))


def test_an_asgi_application_behind_the_check():
    with serve(echo, allowed=origin_check()) as server:
        with connect(server.url(), origin="https://example.com") as client:
            client.send("hello")
            assert client.recv(10) == "hello"
        with pytest.raises(InvalidStatus) as caught, connect(server.url(), origin="https://evil.test"):
            pass
        assert caught.value.response.status_code == 403
        assert b"Origin" in caught.value.response.body
