"""docs/websockets.md: its example is served, and does what the block after it says."""

import re

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from examples import DOCS, EXAMPLE, namespace
from serving import DEADLINE, serving

[(CODE, LINES)] = EXAMPLE.findall((DOCS / "websockets.md").read_text())


@pytest.fixture(scope="module")
def client():
    with serving(namespace(CODE)["api"]) as client:
        yield client


@pytest.mark.parametrize("line", LINES.strip().splitlines())
def test_line(line, client):
    path, *steps = re.split(r"\s{2,}", line)
    assert steps
    url = str(client.base_url.join(path)).replace("http", "ws", 1)
    if steps[0].isdecimal():
        with pytest.raises(InvalidStatus) as refused, connect(url):
            pass
        assert refused.value.response.status_code == int(steps[0])
        return
    with connect(url) as socket:
        for step in steps:
            take(step, socket)


def take(step, socket):
    """`sends TEXT`, `receives TEXT` or `is closed with CODE`."""
    word, _, rest = step.partition(" ")
    if word == "sends":
        socket.send(rest)
    elif word == "receives":
        assert socket.recv(DEADLINE) == rest
    else:
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(DEADLINE)
        assert closed.value.rcvd.code == int(rest.removeprefix("closed with "))
