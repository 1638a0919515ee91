"""The examples of docs/: each block of Python is served, and answers as the block after it says.

A WebSocket answers with its first message.
"""

import json
import re
import shlex
import textwrap
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.core.management import call_command
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from serving import DEADLINE, serving

DOCS = Path(__file__).resolve().parents[2] / "docs"
EXAMPLE = re.compile(r"```python\n(.*?)```\s*```\n(.*?)```", re.DOTALL)
EXAMPLES = [
    pytest.param(code, exchanges, id=f"{page}-{number}")
    for page in ("handlers.md", "errors.md", "limits.md")
    for number, (code, exchanges) in enumerate(EXAMPLE.findall((DOCS / page).read_text()))
]


@pytest.fixture(scope="module", autouse=True)
def tables():
    call_command("migrate", run_syncdb=True, verbosity=0)


@pytest.mark.parametrize(("code", "exchanges"), EXAMPLES)
def test_example(code, exchanges):
    namespace: dict[str, Any] = {"__name__": "example"}
    exec(compile(code, "example", "exec"), namespace)
    with serving(namespace["api"]) as client:
        for line in exchanges.strip().splitlines():
            asked, status, body = re.fullmatch(r"(.*?)\s{2,}(\d{3})(?: (.*))?", line).groups()
            answer = answer_of(client, **request(asked))
            assert answer.status_code == int(status), (line, answer.text)
            if body:
                assert json.loads(answer.text) == json.loads(body), line


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
    namespace: dict[str, Any] = {"__name__": "example"}
    exec(compile(EXAMPLE.findall(before)[-1][0], "example", "exec"), namespace)
    [test] = re.findall(r"^    with .*\n        \.\.\.$", after, re.MULTILINE)
    with serving(namespace["api"]) as namespace["client"]:
        exec(textwrap.dedent(test).replace("...", "answer = client.get('/me')"), namespace)
    assert namespace["answer"].json() == ["somebody", "somebody"]


def request(text: str) -> dict[str, Any]:
    """`METHOD /path [Header: value] {JSON} or name=value` as arguments for httpx."""
    method, target, rest = (*text.split(" ", 2), "")[:3]
    headers = re.findall(r"\[([\w-]+): ([^\]]*)\](?=\s|$)", rest)
    rest = re.sub(r"\[[\w-]+: [^\]]*\](?=\s|$)", "", rest).strip()
    arguments: dict[str, Any] = {"method": method, "url": target, "headers": headers}
    if rest[:1] in ("{", "["):
        arguments["json"] = json.loads(rest)
    elif rest:
        arguments["data"] = dict(word.split("=") for word in shlex.split(rest))
    return arguments


def test_every_example_is_found():
    assert [page.values[0].count("api = API(") for page in EXAMPLES] == [1] * 10
