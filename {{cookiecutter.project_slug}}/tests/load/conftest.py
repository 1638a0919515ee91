from collections.abc import Iterator

import pytest

from stack import User
from visitor import Visitor


@pytest.fixture(scope="session")
def member() -> Iterator[Visitor]:
    with Visitor() as visitor:
        yield visitor.sign_in(User())
