"""Each test of daphne has a test of ours beside it, or a reason why not: daphne.toml."""

from collections.abc import Callable

import pytest

from sdists import PATIENCE
from tables import made_up, wrong


@pytest.mark.timeout(PATIENCE)
def test_each_test_of_theirs_has_one_of_ours_or_a_reason(record_property: Callable[[str, object], None]) -> None:
    lines, total = wrong("daphne")
    record_property("right", total - len(lines))
    record_property("total", total)
    assert not lines, "\n".join(lines)
    assert not made_up("daphne")
