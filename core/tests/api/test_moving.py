"""docs/moving.md and README.md: the examples of this project answer as they say, and those of others are Python."""

import ast
import re

import pytest

from examples import DOCS, exchanges, namespace
from serving import serving

PAGE = (DOCS / "moving.md").read_text()
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = BLOCK.findall(PAGE + (DOCS.parent / "README.md").read_text())
OURS = [(code, block) for (kind, code), (_, block) in zip(BLOCKS, BLOCKS[1:], strict=False) if kind == "python"]


@pytest.mark.parametrize(("code", "block"), OURS)
def test_ours(code, block):
    with serving(namespace(code)["api"]) as client:
        for each in exchanges(block):
            answer = client.request(**each.request)
            assert (answer.status_code, answer.text) == (each.status, each.body or answer.text), each.line


@pytest.mark.parametrize("code", [code for kind, code in BLOCKS if kind == "py"])
def test_theirs(code):
    ast.parse(code)


def test_every_block_is_used():
    assert [kind for kind, _ in BLOCKS] == ["py"] * 3 + ["python", ""] * 4


def test_each_row_has_every_column():
    rows = [line for line in PAGE.splitlines() if line.startswith("|")]
    assert rows and all(row.count("|") - row.count("\\|") in (3, 6) for row in rows)
