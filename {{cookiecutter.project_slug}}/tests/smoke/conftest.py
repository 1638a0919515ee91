from collections.abc import Iterator

import pytest

from stack import User
from visitor import Visitor


@pytest.fixture(scope="session")
def user() -> User:
    return User()


@pytest.fixture
def stranger() -> Iterator[Visitor]:
    with Visitor() as visitor:
        yield visitor


@pytest.fixture(scope="session")
def member(user: User) -> Iterator[Visitor]:
    """Signed in once for all tests: logins are slow by design."""
    with Visitor() as visitor:
        yield visitor.sign_in(user)
