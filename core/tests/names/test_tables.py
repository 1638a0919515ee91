"""The check of the tables sees what is wrong."""

import pytest

from tables import is_right, names_in, parse


@pytest.mark.parametrize(
    "said",
    [
        [],
        ["asgi/test_http.py::test_nothing"],
        ["asgi/missing.py::test_x"],
        ["src/lib.rs::no_such_test"],
        "@no",
        "later",
    ],
)
def test_entries_that_are_wrong(said: str | list[str]) -> None:
    assert not is_right(said, {"http2": "The core speaks HTTP/1.1."})


@pytest.mark.parametrize(
    "said", [["names/test_tables.py::test_entries_that_are_right"], "@http2", "A reason has some words."]
)
def test_entries_that_are_right(said: str | list[str]) -> None:
    assert is_right(said, {"http2": "The core speaks HTTP/1.1."})


def test_tests_are_found_in_modules_and_classes() -> None:
    source = "def test_a(): ...\nasync def test_b(): ...\ndef other(): ...\nclass T:\n def testC(self): ...\n"
    assert list(names_in(parse(source).body)) == ["test_a", "test_b", "T.testC"]
