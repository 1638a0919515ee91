"""The database of the tests in this folder, and the two servers."""

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite("pair")

from pair import COMMANDS, SITE, Pair, serving  # noqa: E402

sys.path.insert(0, str(SITE))


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with two users, a token and three notes."""
    path = tmp_path_factory.mktemp("frameworks") / "seed.sqlite3"
    os.environ |= {"DATABASE": str(path), "DJANGO_SETTINGS_MODULE": "frameworks_settings"}
    import django

    django.setup()
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from notes.models import Note
    from rest_framework.authtoken.models import Token

    call_command("migrate", run_syncdb=True, verbosity=0)
    ada, bob = (User.objects.create_user(name, password="secret") for name in ("ada", "bob"))
    Token.objects.create(user=bob, key="b" * 40)
    Note.objects.bulk_create(Note(title=title, owner=ada) for title in ("milk", "tea", "café"))
    return path


@pytest.fixture(scope="session")
def pair(database: Path) -> Iterator[Pair]:
    with contextlib.ExitStack() as stack:
        yield Pair(
            [
                stack.enter_context(serving(name, Path(shutil.copy(database, database.with_name(f"{name}.sqlite3")))))
                for name in COMMANDS
            ]
        )


@pytest.fixture
def ada(pair: Pair) -> Iterator[Pair]:
    """Both, by a visitor who has logged in on the page of Django REST framework."""
    form = {"username": "ada", "password": "secret"}
    pair.ask("GET", "/rest/auth/login/")
    assert pair.ask("POST", "/rest/auth/login/?next=/rest/", data=form).status_code == 302
    yield pair
    pair.forget()
