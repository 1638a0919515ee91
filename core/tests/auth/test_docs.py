"""The examples of docs/auth.md and docs/databases.md: each is served, and answers as the block after it says."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.contrib.auth.models import Group, User

from serving import another, log_in, serving

DOCS = Path(__file__).resolve().parents[2] / "docs"
EXAMPLE = re.compile(r"```python\n(.*?)```\s*```\n(.*?)```", re.DOTALL)
LINE = re.compile(r"(.*?)\s{2,}(\d{3})(?: as (\w+))?( with token)?(?: ([{\[\w].*))?")
PAGES = ("auth.md", "databases.md")
EXAMPLES = [
    pytest.param(code, exchanges, id=f"{page}-{number}")
    for page in PAGES
    for number, (code, exchanges) in enumerate(EXAMPLE.findall((DOCS / page).read_text()))
]


@pytest.mark.parametrize(("code", "exchanges"), EXAMPLES)
def test_example(code, exchanges, ada, staff):
    User.objects.exclude(username__in=("ada", "grace")).delete()
    Group.objects.all().delete()
    namespace: dict[str, Any] = {"__name__": "example"}
    exec(compile(code, "example", "exec"), namespace)
    with serving(namespace["api"]) as client:
        for line in exchanges.strip().splitlines():
            found = LINE.fullmatch(line)
            assert found, line
            asked, status, name, token, body = found.groups()
            answer = ask(client.base_url, asked, name, bool(token))
            assert answer.status_code == int(status), (line, answer.text)
            if body:
                assert json.loads(answer.text) == json.loads(body), line


def ask(url: Any, asked: str, name: str | None, token: bool) -> httpx.Response:
    """`METHOD /path [Header: value] name=value`, of a client of its own."""
    method, target, rest = (*asked.split(" ", 2), "")[:3]
    headers = dict(re.findall(r"\[([\w-]+): ([^\]]*)\]", rest))
    form = dict(word.split("=") for word in shlex.split(re.sub(r"\[[^\]]*\]", "", rest)))
    with another(url) as client:
        if name:
            log_in(client, User.objects.get(username=name))
        client.cookies.set("csrftoken", "a" * 32)
        if token:
            headers["X-CSRFToken"] = "a" * 32
        return client.request(method, target, headers=headers, data=form or None)


def test_every_example_is_found():
    blocks = sum((DOCS / page).read_text().count("```python") for page in PAGES)
    assert blocks == len(EXAMPLES) == 8
