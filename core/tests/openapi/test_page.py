"""The docs page: whole, from the project itself, with nothing inline. (A browser reads it in the generated project.)"""

import re
from collections.abc import Iterator

import httpx
import pytest

from django_rivet import API
from django_rivet.openapi import Docs
from everything.api import api
from serving import problem, serving


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with serving(api) as client:
        yield client


def test_everything_that_the_page_names_is_there(client: httpx.Client) -> None:
    page = client.get("/api/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "<title>Everything</title>" in page.text
    pending = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    seen: dict[str, str] = {}
    while pending:
        if (path := pending.pop()) in seen:
            continue
        answer = client.get(f"/api/{path}")
        assert answer.status_code == 200, path
        seen[path] = answer.headers["content-type"].partition(";")[0]
        if path.endswith(".js"):
            pending += [f"docs/{name}" for name in re.findall(r'from "\./([^"]+)"', answer.text)]
    assert sorted(set(seen.values())) == ["application/json", "image/svg+xml", "text/css", "text/javascript"]
    problem(client.get("/api/docs/other.js"), 404)


def test_it_asks_nobody_else_and_has_nothing_inline(client: httpx.Client) -> None:
    page = client.get("/api/docs")
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'self';") and "unsafe" not in policy and "http" not in policy
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)|https?://", page.text)


@pytest.mark.parametrize("path", ["/api/docs", "/api/docs/openapi.json", "/api/docs/docs.js"])
def test_what_has_not_changed_is_not_sent_again(client: httpx.Client, path: str) -> None:
    first = client.get(path)
    again = client.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert client.get(path, headers={"If-None-Match": '"other"'}).content == first.content


def test_the_title_is_text() -> None:
    odd = API("/odd")
    odd.include(Docs(title="<script>alert(1)</script> [base]"))
    with serving(odd) as client:
        page = client.get("/odd/docs").text
    assert "<script>alert" not in page and "&lt;script&gt;" in page
