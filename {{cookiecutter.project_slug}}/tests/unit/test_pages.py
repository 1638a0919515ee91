import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client


def test_home_says_what_runs(client: Client) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert "In-process" in page.text or "LocMemCache" in page.text
    assert "default-src 'self'" in page["Content-Security-Policy"]
    assert "unsafe" not in page["Content-Security-Policy"]


@pytest.mark.django_db
def test_login_and_logout(client: Client, django_user_model: type) -> None:
    django_user_model.objects.create_user("ada", password="correct horse")  # type: ignore[attr-defined]
    answer = client.post("/accounts/login/", {"username": "ada", "password": "correct horse"})
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert settings.SESSION_COOKIE_NAME in client.cookies
    assert client.post("/accounts/logout/").status_code == 302
    assert client.get("/admin/").status_code == 302


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    call_command("makemigrations", "--check", "--dry-run")
