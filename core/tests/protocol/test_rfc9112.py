"""The table of vectors.py, over the parser and over a connection."""

from collections import Counter
from collections.abc import Callable

import pytest

from reading import read, serve
from vectors import ALL, Vector


@pytest.mark.parametrize("vector", ALL, ids=lambda vector: f"{vector.section}: {vector.name}")
def test_vector(vector: Vector, port: int) -> None:
    reading = read(vector.data)
    seen = [tuple(request[key].decode("latin-1") for key in ("method", "target", "host", "body"))
            for request in reading.requests]  # fmt: skip
    assert (seen, reading.refused or 0, reading.incomplete) == ([*vector.served], vector.status, vector.more)
    serve(port, vector.data)


def test_rows_are_unique(record_property: Callable[[str, object], None]) -> None:
    """A row that is there twice would count twice; this test is no row."""
    record_property("right", 0)
    record_property("total", 0)
    assert max(Counter((vector.section, vector.name) for vector in ALL).values()) == 1
    assert max(Counter(vector.data for vector in ALL).values()) == 1
