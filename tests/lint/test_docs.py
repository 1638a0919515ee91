"""Links between pages lead somewhere, and the walk through the core names what is there."""

import re

import pytest
from generation import ROOT, tracked

# The benchmark's is the pattern of a page that lies elsewhere.
PAGES = [name for name in tracked() if name.endswith(".md") and name != "core/bench/harness/benchmark.md"]
CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", re.MULTILINE | re.DOTALL)
WALK = (ROOT / "core/docs/request.md").read_text()


def anchors(page):
    """Of its headings, as forges make them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("name", PAGES)
def test_links(name):
    page = ROOT / name
    for link in re.findall(r"\]\(([^)\s]+)\)", CODE.sub("", page.read_text())):
        path, _, anchor = link.partition("#")
        if ":" not in path:
            assert (page.parent / path).exists(), link
            assert not anchor or anchor in anchors(page.parent / path if path else page), link


def test_each_page_has_a_title_and_more():
    for name in PAGES:
        first, _, rest = (ROOT / name).read_text().partition("\n")
        assert first.startswith("# ") and rest.strip(), name


@pytest.mark.parametrize(("folder", "index"), [("docs", "docs/README.md"), ("core/docs", "core/README.md")])
def test_each_guide_is_in_its_index(folder, index):
    text = (ROOT / index).read_text()
    assert [page.name for page in (ROOT / folder).glob("*.md") if page.name not in text and page != ROOT / index] == []


@pytest.mark.parametrize("step", [line for line in WALK.splitlines() if ".rs`" in line or ".py`" in line])
def test_a_step_of_a_request(step):
    """Each file is there, and each function is in a file that is named beside it."""
    core = ROOT / "core"
    beside = core / "python/django_rivet/django"
    files = [core / path if "/" in path else beside / path for path in re.findall(r"`([\w/]+\.(?:rs|py))`", step)]
    text = "".join(file.read_text() for file in files)
    for name in re.findall(r"`\w+(?:::|\.)(\w+)`", step):
        if name not in ("rs", "py"):
            assert re.search(rf"\b(fn|def) {name}\b", text), name
