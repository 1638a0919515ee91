"""The table of options: where values come from, what they may be, and what is said of others."""

import dataclasses
import os
import re
from pathlib import Path

import pytest
from django.conf import settings

from django_rivet import conf, reference
from django_rivet.management.commands.runrivet import Command
from django_rivet.server import CANNOT_START

if not settings.configured:
    settings.configure()

CORE = Path(__file__).parents[2]
ORIGINS = "origins with their scheme and without a path, or *, parted by commas"
PROXIES = "addresses, networks such as 10.0.0.0/8, unix or *, parted by commas"
CODINGS = (
    "off, or codings in order of preference, with a level if wanted, such as zstd,gzip:5"
    " (levels: zstd 1 to 19, br 0 to 11, gzip 1 to 9)"
)
METRICS = "host:port, :port for every address, the path of a Unix socket, or off"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for row in conf.rows():
        monkeypatch.delenv(row.variable, raising=False)


def test_flag_before_environment_before_setting_before_default(monkeypatch: pytest.MonkeyPatch) -> None:
    assert conf.read().port == 8000
    monkeypatch.setattr(settings, "RIVET_PORT", 1, raising=False)
    assert conf.read().port == 1
    monkeypatch.setenv("RIVET_PORT", "2")
    assert conf.read({"port": None}).port == 2
    assert conf.read({"port": "3"}).port == 3


def test_it_is_known_who_set_what(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "RIVET_PORT", 1, raising=False)
    monkeypatch.setenv("RIVET_WORKERS", "2")
    given = [(each.row.flag, each.source) for each in conf.given({"host": "::", "uds": None})]
    assert given == [
        ("--host", "--host"),
        ("--port", "RIVET_PORT of the Django settings"),
        ("--workers", "RIVET_WORKERS"),
    ]


def test_an_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RIVET_PORT", "")
    assert conf.read().port == 8000


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("port", 9000, 9000),
        ("keep_alive", "1.5", 1.5),
        ("graceful_timeout", 0, 0.0),
        ("max_body", "64K", 65536),
        ("max_body", "1 GiB", 1 << 30),
        ("max_body", "10mb", 10 << 20),
        ("max_body", 12345, 12345),
        ("uds_mode", "660", "660"),
        ("uds_mode", 0o600, "600"),
        ("ws_deflate", "off", False),
        ("ws_deflate", False, False),
        ("static", "YES", True),
        ("inline", "never", "never"),
        ("trusted_proxies", ["10.0.0.0/8", "unix"], "10.0.0.0/8,unix"),
        ("trusted_proxies", " 10.0.0.1 , ::1 ", "10.0.0.1,::1"),
        ("ws_origins", "https://a.example, https://*.b.example:8443", "https://a.example,https://*.b.example:8443"),
        ("ws_origins", ["*"], "*"),
        ("access_log_skip", "/health/live, /metrics", "/health/live,/metrics"),
        ("compression", "off", "off"),
        ("compression", "zstd, gzip:9", "zstd,gzip:9"),
        ("compression", ["br:0"], "br:0"),
        ("trusted_proxies", "::ffff:10.0.0.0/104, fd00::/8, *", "::ffff:10.0.0.0/104,fd00::/8,*"),
        ("metrics", "off", ""),
        ("metrics", ":9100", ":9100"),
        ("metrics", "[::1]:9100", "[::1]:9100"),
        ("metrics", "/run/rivet/metrics", "/run/rivet/metrics"),
    ],
)
def test_values(name: str, given: object, value: object) -> None:
    assert getattr(conf.read({name: given}), name) == value


@pytest.mark.parametrize(
    ("name", "given", "wanted"),
    [
        ("port", "x", "a whole number from 0 to 65535"),
        ("port", "65536", "a whole number from 0 to 65535"),
        ("port", 80.5, "a whole number from 0 to 65535"),
        ("port", True, "a whole number from 0 to 65535"),
        ("keep_alive", "0", "seconds from 1 to 86400"),
        ("keep_alive", "nan", "seconds from 1 to 86400"),
        ("keep_alive", None.__class__, "seconds from 1 to 86400"),
        ("max_body", "-1", "bytes from 0 to 1T, such as 64K or 100M"),
        ("max_body", "1X", "bytes from 0 to 1T, such as 64K or 100M"),
        ("uds_mode", "9", "permissions in octal from 000 to 777, such as 660"),
        ("uds_mode", "1777", "permissions in octal from 000 to 777, such as 660"),
        ("ws_deflate", "perhaps", "on or off"),
        ("ws_deflate", 2, "on or off"),
        ("inline", "maybe", "learn, always or never"),
        ("host", "a\nb", "text on one line"),
        ("health_path", "/a\nb", "a path that begins with a slash"),
        ("health_path", "health", "a path that begins with a slash"),
        ("access_log_skip", "/a,health", "paths that begin with a slash, parted by commas"),
        ("ws_origins", "example.com", ORIGINS),
        ("ws_origins", "https://", ORIGINS),
        ("ws_origins", "https://a.example/", ORIGINS),
        ("trusted_proxies", [1], PROXIES),
        ("trusted_proxies", "proxy.example", PROXIES),
        ("trusted_proxies", "10.0.0.1/8", PROXIES),
        ("trusted_proxies", "10.0.0.0/255.0.0.0", PROXIES),
        ("trusted_proxies", "10.0.0.0/33", PROXIES),
        ("trusted_proxies", "::ffff:0.0.0.0/90", PROXIES),
        ("trusted_proxies", "fe80::1%eth0", PROXIES),
        ("compression", "", CODINGS),
        ("compression", "zstd,,off", CODINGS),
        ("compression", "gzip,gzip:1", CODINGS),
        ("compression", "gzip:0", CODINGS),
        ("compression", "zstd:20", CODINGS),
        ("compression", "br:", CODINGS),
        ("metrics", "9100", METRICS),
        ("metrics", "::1:9100", METRICS),
        ("metrics", "localhost:http", METRICS),
    ],
)
def test_what_is_said_of_other_values(name: str, given: object, wanted: str) -> None:
    flag = "--" + name.replace("_", "-")
    with pytest.raises(conf.Invalid) as raised:
        conf.read({name: given})
    assert str(raised.value) == f"{flag} is {given!r}: write {wanted}."


# For each option something that somebody may write, and that cannot be.
MISTAKES = {
    "host": "local\nhost",
    "port": "http",
    "uds": "/run/web\n.sock",
    "uds_mode": "rw-rw----",
    "backlog": "0",
    "processes": "auto",
    "workers": "-1",
    "supervise": "always",
    "max_requests": "1e4",
    "max_requests_jitter": "10%",
    "max_rss": "300 megabytes",
    "lifetime": "1h",
    "lifetime_jitter": "-1",
    "reload": "maybe",
    "inline": "yes",
    "keep_alive": "0",
    "header_timeout": "10s",
    "body_timeout": "none",
    "write_timeout": "inf",
    "queue_timeout": "0",
    "drain_delay": "5 s",
    "graceful_timeout": "never",
    "hang_timeout": "-1",
    "max_connections": "0",
    "max_in_flight": "unlimited",
    "max_head": "1",
    "max_fields": "1001",
    "max_target": "10G",
    "max_body": "10 MBit",
    "spool": "-1",
    "high_water": "1",
    "ws_max_message": "0",
    "ws_memory": "all",
    "ws_ping": "0",
    "ws_ping_timeout": "x",
    "ws_deflate": "gzip",
    "ws_rate": "10/s",
    "ws_origins": "app.example.com",
    "compression": "deflate",
    "compression_min": "1.5K",
    "static": "/static/",
    "static_cache": "lots",
    "trusted_proxies": "proxy.example.com",
    "access_log": "common",
    "access_log_skip": "health/live",
    "health_path": "health",
    "metrics": "9100",
}


def refused(capsys: pytest.CaptureFixture[str], *flags: str) -> str:
    """What `runrivet` says when it does not start."""
    with pytest.raises(SystemExit) as ended:
        Command().run_from_argv(["manage.py", "runrivet", "--no-color", *flags])
    assert ended.value.code == CANNOT_START
    return capsys.readouterr().err


@pytest.mark.parametrize("row", list(conf.rows()), ids=lambda row: row.name)
def test_what_every_option_says_of_a_mistake(
    row: conf.Row, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mistake = MISTAKES[row.name]
    told = f"is {mistake!r}: write {row.kind.wanted}.\n"
    assert refused(capsys, f"{row.flag}={mistake}") == f"CommandError: {row.flag} {told}"
    with monkeypatch.context() as environment:
        environment.setenv(row.variable, mistake)
        assert refused(capsys) == f"CommandError: {row.variable} {told}"
    monkeypatch.setattr(settings, row.variable, mistake, raising=False)
    assert refused(capsys) == f"CommandError: {row.variable} of the Django settings {told}"


def test_the_place_of_a_bad_value_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "RIVET_PORT", "x", raising=False)
    with pytest.raises(conf.Invalid, match=r"^RIVET_PORT of the Django settings is 'x': "):
        conf.read()
    monkeypatch.setenv("RIVET_PORT", "y")
    with pytest.raises(conf.Invalid, match=r"^RIVET_PORT is 'y': "):
        conf.read()


def test_names_that_are_no_options(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [each for each in os.environ if each.startswith("RIVET_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("RIVET_PORT", "1")
    assert list(conf.unknown()) == []
    monkeypatch.setenv("RIVET_MAXBODY", "1")
    monkeypatch.setattr(settings, "RIVET_NONSENSE", 1, raising=False)
    assert list(conf.unknown()) == [
        "RIVET_MAXBODY in the environment is no option: do you mean RIVET_MAX_BODY?",
        "RIVET_NONSENSE in the Django settings is no option.",
    ]


def test_every_default_is_a_value_that_its_option_takes() -> None:
    defaults = conf.Options()
    for row in conf.rows():
        value = getattr(defaults, row.name)
        assert row.kind.parse(value) == value
        assert row.kind.parse(str(value)) == value or row.kind.wanted == "on or off"
        assert row.help.endswith(".")


def test_the_engine_takes_what_it_is_given() -> None:
    from django_rivet._core import Reactor

    Reactor(conf.engine_options(conf.Options())).close()
    with pytest.raises(ValueError, match="compression"):
        Reactor(conf.engine_options(dataclasses.replace(conf.Options(), compression="rar")))


def test_the_settings_reference_is_the_one_that_is_made() -> None:
    page = CORE / "docs/settings.md"
    assert page.read_text() == reference.reference(), "python -m django_rivet.reference > docs/settings.md"


def test_every_option_is_in_the_reference_once_in_a_section_with_a_name() -> None:
    for row in conf.rows():
        assert reference.reference().count(f"`{row.variable}` |") == 1
        assert row.section
    assert len({row.section for row in conf.rows()}) == reference.reference().count("\n## ") - 1


# Flags that are no options of the server: those of the command itself, and of `manage.py openapi`.
OTHERS = {"--check", "--docs", "--help"}


@pytest.mark.parametrize("page", sorted((CORE / "docs").glob("*.md")), ids=lambda page: page.name)
def test_a_page_names_options_that_there_are(page: Path) -> None:
    written = set(re.findall(r"`(--[a-z-]+)|\b(RIVET_[A-Z_]+)", page.read_text()))
    there = {name for row in conf.rows() for name in (row.flag, row.variable)} | OTHERS
    assert {flag or variable for flag, variable in written} <= there
