"""The examples of docs/: a block of Python that makes an API, and behind it a block of requests with their answers."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

DOCS = Path(__file__).resolve().parents[1] / "docs"
EXAMPLE = re.compile(r"```python\n(.*?)```\s*```\n(.*?)```", re.DOTALL)
LINE = re.compile(r"(.*?)\s{2,}(\d{3})(?: as (\w+))?( with token)?(?: (.*))?")
HEADER = re.compile(r"\[([\w-]+): ([^\]]*)\](?=\s|$)")


class Exchange(NamedTuple):
    """`METHOD /path [Header: value] {JSON} or name=value   200 as ada with token {JSON}`; the rest may be absent."""

    line: str
    request: dict[str, Any]
    status: int
    user: str | None
    token: bool
    body: str | None

    def check(self, answer: httpx.Response) -> None:
        assert answer.status_code == self.status, (self.line, answer.text)
        if self.body:
            assert json.loads(answer.text) == json.loads(self.body), self.line


def exchanges(block: str) -> Iterator[Exchange]:
    for line in block.strip().splitlines():
        found = LINE.fullmatch(line)
        assert found, line
        asked, status, user, token, body = found.groups()
        yield Exchange(line, request(asked), int(status), user, bool(token), body)


def request(asked: str) -> dict[str, Any]:
    """What is left of the answer, as arguments for httpx."""
    method, target, rest = (*asked.split(" ", 2), "")[:3]
    arguments: dict[str, Any] = {"method": method, "url": target, "headers": HEADER.findall(rest)}
    content = HEADER.sub("", rest).strip()
    if content[:1] in ("{", "["):
        arguments["json"] = json.loads(content)
    elif content:
        arguments["data"] = dict(word.split("=") for word in shlex.split(content))
    return arguments


def namespace(code: str) -> dict[str, Any]:
    """What an example defines."""
    names: dict[str, Any] = {"__name__": "example"}
    exec(compile(code, "example", "exec"), names)
    return names


def parameters(*pages: str) -> list[Any]:
    """Code and exchanges of each example, for pytest.mark.parametrize."""
    return [
        pytest.param(code, block, id=f"{page}-{number}")
        for page in pages
        for number, (code, block) in enumerate(EXAMPLE.findall((DOCS / page).read_text()))
    ]
