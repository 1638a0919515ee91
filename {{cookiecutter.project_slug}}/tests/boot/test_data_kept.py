"""`down`, then `up`: everything that counts is still there."""

import stack
from stack import User
from visitor import Visitor


def test_down_and_up() -> None:
    user = User()
    with Visitor() as visitor:
        visitor.sign_in(user)
        stack.compose("down", "--timeout", 30)
        assert stack.containers(stopped=True) == []
        stack.up()
        assert visitor.signed_in(), "the session is kept"
    with Visitor() as visitor:
        assert visitor.sign_in(user).signed_in(), "the account is kept"
