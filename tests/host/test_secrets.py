"""bin/secrets.py: writes what is missing, keeps what is there, tells no value."""

import re
import stat
import sys

import pytest
from generation import ROOT

NAMES = """
    secret_key database_owner_password database_app_password pgbouncer_stats_password cache_password queue_password
    s3_access_key_id s3_secret_access_key s3_rpc_secret health_token secret_key_fallbacks email_password
""".split()


def values(machine):
    return {path.name: path.read_text() for path in (machine.project / "secrets").iterdir()}


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("umask", [0o077, 0o000])
def test_modes_whatever_the_umask(machine, umask):
    machine.run("bin/secrets.py", umask=umask)
    folder = machine.project / "secrets"
    assert mode(folder) == 0o700
    assert {mode(path) for path in folder.iterdir()} == {0o644}


def test_values_have_their_shape(machine):
    machine.run("bin/secrets.py")
    written = values(machine)
    assert sorted(written) == sorted(NAMES)
    assert written.pop("email_password") == written.pop("secret_key_fallbacks") == ""
    assert re.fullmatch("GK[0-9a-f]{24}", written.pop("s3_access_key_id"))
    assert all(re.fullmatch("[0-9a-f]{64}", value) for value in written.values())
    assert len(set(written.values())) == len(written)


def test_names_are_told_and_no_value(machine):
    told = machine.run("bin/secrets.py")
    assert all(name in told.stdout for name in NAMES)
    assert not any(value and value in told.stdout + told.stderr for value in values(machine).values())


def test_what_is_there_is_kept(machine):
    machine.run("bin/secrets.py")
    before = values(machine)
    (machine.project / "secrets/queue_password").unlink()
    (machine.project / "secrets/email_password").write_text("mine")
    told = machine.run("bin/secrets.py")
    after = values(machine)
    assert told.stdout == "secrets: wrote queue_password\n"
    assert after.pop("email_password") == "mine"
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"queue_password"}
    assert machine.run("bin/secrets.py").stdout == ""


def test_a_file_of_somebody_else_wins(tmp_path):
    """Two runs at a time: the second one's value is the one that is thrown away."""
    sys.path.insert(0, str(ROOT / "bin"))
    try:
        sys.modules.pop("secrets", None)
        from secrets import write_new
    finally:
        sys.path.pop(0)
        sys.modules.pop("secrets", None)
    write_new(tmp_path / "token", "first")
    write_new(tmp_path / "token", "second")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("token", "first")]


def test_no_room_is_one_line(machine):
    (machine.project / "secrets").write_text("no folder")
    done = machine.run("bin/secrets.py")
    assert done.returncode == 1
    assert re.fullmatch(r"secrets: cannot write .*secrets: .*\n", done.stderr)
