"""`down`, then `up`: database, files and queue are still there."""

import stack
from visitor import Visitor

STORE = """
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
result = default_storage.save("kept.txt", ContentFile(b"kept"))
"""
READ = """
from django.core.files.storage import default_storage
with default_storage.open(name) as file:
    result = file.read().decode()
default_storage.delete(name)
"""
QUEUE = """
import redis
from django.conf import settings
with redis.Redis.from_url(settings.QUEUE_URL, decode_responses=True) as client:
    result = client.execute_command(*command)
"""


def test_down_and_up() -> None:
    user = stack.User()
    name = stack.django(STORE)
    stack.django(QUEUE, command=["SET", "kept", "kept"])
    with Visitor() as visitor:
        visitor.sign_in(user)
        stack.compose("down", "--timeout", 30)
        assert stack.containers(stopped=True) == []
        stack.up()
        assert visitor.signed_in(), "the session is kept"
    with Visitor() as visitor:
        assert visitor.sign_in(user).signed_in(), "the account is kept"
    assert stack.django(READ, name=name) == "kept"
    assert stack.django(QUEUE, command=["GETDEL", "kept"]) == "kept"
