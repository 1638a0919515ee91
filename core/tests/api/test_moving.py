"""docs/moving.md and README.md: the examples of this project answer as they say, and those of others are Python."""

import ast
import re

import pytest

from serving import serving
from test_docs import DOCS, request

PAGE = (DOCS / "moving.md").read_text()
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = BLOCK.findall(PAGE + (DOCS.parent / "README.md").read_text())
OURS = [(code, exchanges) for (kind, code), (_, exchanges) in zip(BLOCKS, BLOCKS[1:], strict=False) if kind == "python"]


@pytest.mark.parametrize(("code", "exchanges"), OURS)
def test_ours(code, exchanges):
    namespace = {"__name__": "example"}
    exec(compile(code, "example", "exec"), namespace)
    with serving(namespace["api"]) as client:
        for line in exchanges.strip().splitlines():
            asked, status, body = re.fullmatch(r"(.*?)\s{2,}(\d{3})(?: (.*))?", line).groups()
            answer = client.request(**request(asked))
            assert (answer.status_code, body or answer.text) == (int(status), answer.text), line


@pytest.mark.parametrize("code", [code for kind, code in BLOCKS if kind == "py"])
def test_theirs(code):
    ast.parse(code)


def test_every_block_is_used():
    assert [kind for kind, _ in BLOCKS] == ["py"] * 3 + ["python", ""] * 4


def test_each_row_has_every_column():
    rows = [line for line in PAGE.splitlines() if line.startswith("|")]
    assert rows and all(row.count("|") - row.count("\\|") in (3, 6) for row in rows)
