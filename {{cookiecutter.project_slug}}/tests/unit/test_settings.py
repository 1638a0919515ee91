"""What production refuses, and what follows from PUBLIC_URL."""

from pathlib import Path

import pytest

from tests.unit.production import REQUIRED, load, manage


def refusal(without: str = "", **variables: str) -> str:
    """Return what is said to somebody whose variables are not right."""
    with pytest.raises(SystemExit) as stopped:
        load(without, **variables)
    message = str(stopped.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_variable_is_named(name: str) -> None:
    assert refusal(without=name).startswith(f"error: {name} is not set")
    assert refusal(**{name: ""}).startswith(f"error: {name} is not set")


def test_the_start_is_stopped_in_one_line() -> None:
    done = manage("check", without="SECRET_KEY")
    assert done.returncode == 1
    assert done.stderr.startswith("error: SECRET_KEY is not set")
    assert done.stderr.count("\n") == 1


def test_a_secret_comes_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("from-a-file\n")
    assert load(SECRET_KEY_FILE=str(file))["SECRET_KEY"] == "from-a-file"


def test_a_secret_file_that_is_not_there(tmp_path: Path) -> None:
    assert refusal(SECRET_KEY_FILE=str(tmp_path / "nothing")).startswith("error: SECRET_KEY_FILE names ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PUBLIC_URL", "example.com"),
        ("PUBLIC_URL", "ftp://example.com"),
        ("PUBLIC_URL", "https://"),
        ("PUBLIC_URL", "https://example.com:port"),
        ("PUBLIC_URL", "https://example.com/shop"),
        ("PUBLIC_URL", "https://example.com?a=b"),
        ("PUBLIC_URL", "https://user@example.com"),
        ("PUBLIC_URL", "https://[::1"),
        ("PUBLIC_URL", "http://example.com"),
        ("PUBLIC_URL", "http://192.0.2.1:8000"),
        ("DATABASE_URL", "nonsense"),
        ("CACHE_URL", "http://redis"),
        ("QUEUE_URL", "redis-queue:6379"),
        ("WEB_SERVER", "apache"),
        ("DEBUG", "perhaps"),
        ("HSTS_SECONDS", "long"),
        ("LOG_LEVEL", "loud"),
        ("EMAIL_URL", "mail.example.com"),
    ],
)
def test_a_bad_value_is_named(name: str, value: str) -> None:
    assert refusal(**{name: value}).startswith(f"error: {name} is ")


def test_check_deploy_is_clean() -> None:
    done = manage("check", "--deploy", "--fail-level", "WARNING", EMAIL_URL="smtp+tls://mail.example.com")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "System check identified no issues (0 silenced).\n"
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("url", "host", "origin"),
    [
        ("https://example.com", "example.com", "https://example.com"),
        ("https://Example.com:443/", "example.com", "https://example.com"),
        ("https://example.com:8443", "example.com", "https://example.com:8443"),
        ("https://bücher.example", "xn--bcher-kva.example", "https://xn--bcher-kva.example"),
        ("http://localhost:8000", "localhost", "http://localhost:8000"),
        ("http://shop.localhost", "shop.localhost", "http://shop.localhost"),
        ("http://127.0.0.1:80", "127.0.0.1", "http://127.0.0.1"),
        ("http://[::1]:8000", "[::1]", "http://[::1]:8000"),
    ],
)
def test_public_url(url: str, host: str, origin: str) -> None:
    settings = load(PUBLIC_URL=url)
    assert settings["ALLOWED_HOSTS"] == [host]
    assert settings["CSRF_TRUSTED_ORIGINS"] == [origin]
    assert settings["PUBLIC_URL"].origin == origin
    assert settings["SECURE_CSP"]["connect-src"] == ["'self'", origin.replace("http", "ws", 1)]


def test_https_is_strict(capsys: pytest.CaptureFixture[str]) -> None:
    settings = load()
    assert settings["SECURE_SSL_REDIRECT"]
    assert settings["SESSION_COOKIE_SECURE"]
    assert settings["CSRF_COOKIE_SECURE"]
    assert settings["SECURE_HSTS_SECONDS"] == 3600
    assert settings["SESSION_COOKIE_NAME"] == "__Host-sessionid"
    assert capsys.readouterr().err == ""


def test_http_is_warned_about(capsys: pytest.CaptureFixture[str]) -> None:
    settings = load(PUBLIC_URL="http://localhost:8000")
    assert not settings["SECURE_SSL_REDIRECT"]
    assert not settings["SESSION_COOKIE_SECURE"]
    assert settings["SECURE_HSTS_SECONDS"] == 0
    assert settings["SESSION_COOKIE_NAME"] == "sessionid"
    told = capsys.readouterr().err
    assert told.startswith("warning: PUBLIC_URL is http://localhost:8000")
    assert told.count("\n") == 1


def test_passwords_come_apart_from_urls() -> None:
    password = "p@ss/word"
    settings = load(CACHE_URL="redis://app@redis:6379/0", CACHE_PASSWORD=password, DATABASE_PASSWORD=password)
    assert settings["CACHE_URL"] == "redis://app:p%40ss%2Fword@redis:6379/0"
    assert settings["DATABASES"]["default"]["PASSWORD"] == password
    assert settings["DATABASES"]["direct"]["PASSWORD"] == password


def test_a_password_in_a_url_wins() -> None:
    settings = load(DATABASE_URL="postgres://app:own@127.0.0.1/app", DATABASE_PASSWORD="other")
    assert settings["DATABASES"]["default"]["PASSWORD"] == "own"


def test_mail() -> None:
    assert "console" in load()["MAILERS"]["default"]["BACKEND"]
    options = load(EMAIL_URL="smtp+tls://a%40b@mail.example", EMAIL_PASSWORD="pw")["MAILERS"]["default"]["OPTIONS"]
    assert options == {
        "host": "mail.example",
        "port": 587,
        "username": "a@b",
        "password": "pw",
        "use_tls": True,
        "timeout": 10,
    }


def test_a_cdn_is_allowed_by_the_policy() -> None:
    settings = load(STATIC_HOST="https://cdn.example.com/", S3_PUBLIC_URL="https://s3.example.com/path")
    assert settings["STATIC_URL"] == "https://cdn.example.com/static/"
    assert settings["SECURE_CSP"]["default-src"] == ["'self'", "https://cdn.example.com"]
    assert "https://s3.example.com" in settings["SECURE_CSP"]["img-src"]


def test_the_database_is_used_as_a_transaction_pool_allows() -> None:
    default = load()["DATABASES"]["default"]
    assert default["DISABLE_SERVER_SIDE_CURSORS"]


def test_connections_outlive_their_request_where_threads_do() -> None:
    databases = load(WEB_SERVER="rivet")["DATABASES"]
    assert databases["default"]["CONN_MAX_AGE"] > 0
    assert databases["default"]["CONN_HEALTH_CHECKS"], "PgBouncer may have been restarted meanwhile"
    assert databases["direct"]["CONN_MAX_AGE"] == 0, "PostgreSQL's own connections are few"
    assert load(WEB_SERVER="uvicorn")["DATABASES"]["default"]["CONN_MAX_AGE"] == 0, "each view has its own thread"


def test_a_task_ends_before_it_is_given_to_another_worker() -> None:
    settings = load()
    assert settings["CELERY_BROKER_TRANSPORT_OPTIONS"]["visibility_timeout"] > settings["CELERY_TASK_TIME_LIMIT"]


def test_idle_websockets_are_not_dropped() -> None:
    host = load()["CHANNEL_LAYERS"]["default"]["CONFIG"]["hosts"][0]
    assert host["socket_timeout"] is None, "redis-py's default is 5 seconds"


def test_without_any_variable_debug_runs_embedded() -> None:
    settings = load(DEBUG="true", **dict.fromkeys(REQUIRED, ""))
    assert settings["DATABASES"]["default"]["ENGINE"].endswith("sqlite3")
    assert settings["CELERY_TASK_ALWAYS_EAGER"]
    assert settings["STORAGES"]["default"]["BACKEND"].endswith("LocalMediaStorage")
