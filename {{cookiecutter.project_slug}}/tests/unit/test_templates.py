import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.views import defaults
from pytest_django import Settings


@pytest.fixture
def visitor(db: None) -> Client:
    return Client(enforce_csrf_checks=True, raise_request_exception=False)


@pytest.mark.parametrize("path", ["/", "/accounts/login/"])
def test_pages_say_whose_they_are(visitor: Client, settings: Settings, path: str) -> None:
    settings.SITE_NAME = 'Ada\'s <b>"Café"</b> & {{ Co }}'
    page = visitor.get(path)
    assert page.status_code == 200
    assert "Ada&#x27;s &lt;b&gt;&quot;Café&quot;&lt;/b&gt; &amp; {{ Co }}" in page.text


def test_a_missing_page(visitor: Client) -> None:
    answer = visitor.get("/nowhere/")
    assert answer.status_code == 404
    assert "There is nothing here" in answer.text


def test_a_form_without_its_token(visitor: Client) -> None:
    answer = visitor.post("/accounts/login/", {"username": "ada"})
    assert answer.status_code == 403
    assert "gone stale" in answer.text


def test_an_unknown_host(visitor: Client) -> None:
    answer = visitor.get("/", headers={"host": "elsewhere.example"})
    assert answer.status_code == 400
    assert "makes no sense" in answer.text


def test_a_refused_page() -> None:
    answer = defaults.permission_denied(HttpRequest(), Exception())
    assert "not for you" in answer.text


def test_a_broken_page(visitor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object, **options: object) -> HttpResponse:
        raise RuntimeError("a secret of ours")

    monkeypatch.setattr("django.contrib.auth.views.LoginView.get", broken)
    answer = visitor.get("/accounts/login/")
    assert answer.status_code == 500
    assert "broke on our side" in answer.text
    assert "secret of ours" not in answer.text
