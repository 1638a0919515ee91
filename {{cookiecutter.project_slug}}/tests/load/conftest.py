from collections.abc import Iterator

import pytest

import stack
from visitor import Visitor


@pytest.fixture(scope="session")
def member() -> Iterator[Visitor]:
    with Visitor() as visitor:
        visitor.sign_in(stack.User())
        stack.close_shells()  # the memory under test is the stack's own
        yield visitor
