"""The examples of docs/: each block of Python is served, and answers as the block after it says.

A WebSocket answers with its first message.
"""

import re
import textwrap
from typing import Any

import httpx
import pytest
from django.core.management import call_command
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from examples import DOCS, EXAMPLE, exchanges, namespace, parameters
from serving import DEADLINE, serving

EXAMPLES = parameters("handlers.md", "errors.md", "limits.md")


@pytest.fixture(scope="module", autouse=True)
def tables():
    call_command("migrate", run_syncdb=True, verbosity=0)


@pytest.mark.parametrize(("code", "block"), EXAMPLES)
def test_example(code, block):
    with serving(namespace(code)["api"]) as client:
        for exchange in exchanges(block):
            exchange.check(answer_of(client, **exchange.request))


def answer_of(client: httpx.Client, method: str, url: str, headers: Any, **content: Any) -> httpx.Response:
    if method != "WEBSOCKET":
        return client.request(method, url, headers=headers, **content)
    try:
        with connect(str(client.base_url.join(url)).replace("http", "ws", 1), additional_headers=headers) as socket:
            return httpx.Response(101, content=socket.recv(DEADLINE))
    except InvalidStatus as refused:
        return httpx.Response(refused.response.status_code, content=bytes(refused.response.body or b""))


def test_another_provider_in_a_test():
    page = (DOCS / "handlers.md").read_text()
    before, _, after = page.partition("In a test another provider takes its place")
    names = namespace(EXAMPLE.findall(before)[-1][0])
    [test] = re.findall(r"^    with .*\n        \.\.\.$", after, re.MULTILINE)
    with serving(names["api"]) as names["client"]:
        exec(textwrap.dedent(test).replace("...", "answer = client.get('/me')"), names)
    assert names["answer"].json() == ["somebody", "somebody"]


def test_every_example_is_found():
    assert [page.values[0].count("api = API(") for page in EXAMPLES] == [1] * 10
