"""nginx -> web -> page."""

import http.client
from urllib.parse import urlsplit

import pytest

import stack
from visitor import Visitor

MAX_BODY = 10 * 1024 * 1024  # MAX_BODY_SIZE's default


def test_home(stranger: Visitor) -> None:
    answer = stranger.get("/")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_no_version_is_told(stranger: Visitor) -> None:
    assert not any(character.isdigit() for character in stranger.get("/").headers.get("server", ""))


def test_missing_page(stranger: Visitor) -> None:
    assert stranger.get("/nowhere/").status_code == 404


def test_foreign_post_is_refused(stranger: Visitor) -> None:
    """No CSRF token, and one from elsewhere."""
    form = {"username": "a", "password": "b"}
    assert stranger.post("/accounts/login/", data=form).status_code == 403
    stranger.get("/accounts/login/")
    form["csrfmiddlewaretoken"] = stranger.csrf_token
    foreign = {"Origin": "https://elsewhere.example", "Referer": "https://elsewhere.example/"}
    assert stranger.post("/accounts/login/", data=form, headers=foreign).status_code == 403


@pytest.mark.parametrize("host", ["elsewhere.example", "localhost.elsewhere.example", ""])
def test_unknown_host_is_refused(stranger: Visitor, host: str) -> None:
    answer = stranger.get("/", headers={"Host": host})
    assert 400 <= answer.status_code < 500


def answer_to_body(size: int) -> int:
    """The head alone is sent, so that the size decides and not the upload."""
    place = urlsplit(stack.URL)
    if context := stack.tls():
        connection = http.client.HTTPSConnection(place.netloc, timeout=10, context=context)
    else:
        connection = http.client.HTTPConnection(place.netloc, timeout=10)
    connection.putrequest("POST", "/accounts/login/")
    connection.putheader("Content-Length", str(size))
    connection.putheader("Content-Type", "application/octet-stream")
    connection.endheaders()
    try:
        return connection.getresponse().status
    finally:
        connection.close()


def test_body_over_the_limit_is_refused() -> None:
    assert answer_to_body(MAX_BODY + 1) == 413


def test_body_at_the_limit_is_read(stranger: Visitor) -> None:
    answer = stranger.post("/accounts/login/", content=b"0" * MAX_BODY)
    assert answer.status_code == 403, "Django, not nginx, answers: the CSRF token is missing"
