"""bin/setting: environment, then .env, then default."""

import pytest


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("", "8000"),
        ("PORT=", "8000"),
        ("PORT=8123", "8123"),
        ("PORT=8123 # the proxy's", "8123"),
        ('PORT="8123"', "8123"),
        ("PORT='8123'", "8123"),
        ("OTHER_PORT=1\n#PORT=2\nPORT=8123\nPORTS=3", "8123"),
        ("PORT=1\nPORT=8123", "8123"),
    ],
)
def test_env_file(machine, line, value):
    (machine.project / ".env").write_text(line + "\n")
    assert machine.run("bin/setting", "PORT", "8000").stdout == f"{value}\n"


def test_environment_first(machine):
    (machine.project / ".env").write_text("PORT=8123\n")
    assert machine.run("bin/setting", "PORT", "8000", PORT="9000").stdout == "9000\n"


def test_no_env_file(machine):
    assert machine.run("bin/setting", "PORT", "8000").stdout == "8000\n"
