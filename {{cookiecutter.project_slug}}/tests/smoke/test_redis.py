"""redis-cache evicts and forgets; redis-queue keeps; neither lets the application do more than its work."""

from typing import Any

import pytest

import stack

# Passwords come from the files that the application reads them from.
CLIENT = """
import os
from pathlib import Path
import redis
def client(login=True):
    password = Path(os.environ[f"{store}_PASSWORD_FILE"]).read_text() if login else None
    address = os.environ[f"{store}_URL"] if login else os.environ[f"{store}_URL"].replace("app@", "")
    return redis.Redis.from_url(address, password=password, socket_timeout=5, decode_responses=True)
"""
COMMANDS = """
result = {}
with client(login) as server:
    for command in commands:
        try:
            result[command] = server.execute_command(*command.split())
        except redis.RedisError as error:
            result[command] = type(error).__name__
"""
# Twice what tests/stack.env gives; nothing of it stays.
FILL = """
names = [f"smoke:{number}" for number in range(64)]
result = {"stored": 0, "full": False}
with client() as server:
    try:
        for name in names:
            server.set(name, "x" * 2**20)
            result["stored"] += 1
    except redis.OutOfMemoryError:
        result["full"] = True
    result["kept"] = server.exists(*names)
    server.delete(*names)
"""
DANGEROUS = [
    "FLUSHALL", "CONFIG GET *", "KEYS *", "SHUTDOWN NOSAVE", "ACL LIST", "REPLICAOF NO ONE", "MODULE LIST", "SAVE",
    "MONITOR",
]  # fmt: skip

both = pytest.mark.parametrize("store", ["CACHE", "QUEUE"])


def ask(store: str, *commands: str, login: bool = True) -> dict[str, Any]:
    return stack.django(CLIENT + COMMANDS, store=store, login=login, commands=commands)


@both
def test_dangerous_commands_are_refused(store: str) -> None:
    assert ask(store, *DANGEROUS) == dict.fromkeys(DANGEROUS, "NoPermissionError")


@both
def test_daily_commands_are_allowed(store: str) -> None:
    assert list(ask(store, "SET smoke 1 EX 5", "GET smoke", "DEL smoke").values()) == [True, "1", 1]


@both
def test_strangers_are_refused(store: str) -> None:
    commands = ["PING", "GET smoke", "KEYS *"]
    assert ask(store, *commands, login=False) == dict.fromkeys(commands, "AuthenticationError")


def test_full_queue_refuses_and_forgets_nothing() -> None:
    told = stack.django(CLIENT + FILL, store="QUEUE")
    assert told["full"]
    assert told["kept"] == told["stored"] > 0


def test_full_cache_makes_room() -> None:
    told = stack.django(CLIENT + FILL, store="CACHE")
    assert told["stored"] == 64
    assert 0 < told["kept"] < 64


@pytest.mark.fault
@pytest.mark.parametrize(("store", "kept"), [("QUEUE", 1), ("CACHE", 0)])
def test_what_a_killed_server_keeps(store: str, kept: int) -> None:
    """The queue is on disk, the cache in memory only."""
    service = f"redis-{store.lower()}"
    ask(store, "SET smoke:kept 1 EX 300")
    stack.compose("kill", service)
    stack.compose("start", service)
    stack.wait_until(f"{service} is healthy", lambda: not stack.ailing(), 60)
    assert ask(store, "EXISTS smoke:kept") == {"EXISTS smoke:kept": kept}
