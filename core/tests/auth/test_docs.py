"""The examples of docs/auth.md and docs/databases.md: each is served, and answers as the block after it says."""

from typing import Any

import httpx
import pytest
from django.contrib.auth.models import Group, User

from examples import DOCS, Exchange, exchanges, namespace, parameters
from serving import another, log_in, serving

PAGES = ("auth.md", "databases.md")
EXAMPLES = parameters(*PAGES)


@pytest.mark.parametrize(("code", "block"), EXAMPLES)
def test_example(code, block, ada, staff):
    User.objects.exclude(username__in=("ada", "grace")).delete()
    Group.objects.all().delete()
    with serving(namespace(code)["api"]) as client:
        for exchange in exchanges(block):
            exchange.check(answer_of(client.base_url, exchange))


def answer_of(url: Any, exchange: Exchange) -> httpx.Response:
    """To a client of its own."""
    with another(url) as client:
        if exchange.user:
            log_in(client, User.objects.get(username=exchange.user))
        client.cookies.set("csrftoken", "a" * 32)
        if exchange.token:
            client.headers["X-CSRFToken"] = "a" * 32
        return client.request(**exchange.request)


def test_every_example_is_found():
    blocks = sum((DOCS / page).read_text().count("```python") for page in PAGES)
    assert blocks == len(EXAMPLES) == 8
