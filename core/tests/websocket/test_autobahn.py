"""The cases of the Autobahn test suite, run by kosoku (https://github.com/curioswitch/kosoku)."""

import asyncio
import os
from collections.abc import Callable
from typing import Any

import kosoku
import pytest
from kosoku._kosoku import Behavior, CaseResult
from kosoku.cases import CASES

from websocket_server import serve

# 9.1.6 and 9.2.6 send messages of 16 MiB, RIVET_WS_MAX_MESSAGE's default; nothing else has to be raised.
OPTIONS = {"ws_max_message": 16 << 20, "ws_rate": 0}


def bytes_again(case: type) -> None:
    """kosoku 0.1.0 gives an uncompressed message as str, where cases 12 and 13 take bytes."""
    original: Callable[..., None] = case.onMessage  # type: ignore[attr-defined]

    def on_message(self: Any, message: Any, binary: bool) -> None:
        if isinstance(message, str):
            message = message.encode("latin-1" if binary else "utf-8")
        original(self, message, binary)

    case.onMessage = on_message  # type: ignore[attr-defined]


@pytest.fixture(scope="module", autouse=True)
def mended() -> None:
    for name, case in CASES.items():
        if name.startswith(("12.", "13.")):
            bytes_again(case)


async def run(url: str) -> list[CaseResult]:
    try:
        return await kosoku.run_fuzzingclient(url, concurrency=2 * (os.cpu_count() or 1))
    except kosoku.FailureError as error:
        return error.results


@pytest.mark.timeout(1200)
def test_all_cases(record_property: Callable[[str, object], None]) -> None:
    with serve(**OPTIONS) as server:
        results = asyncio.run(run(server.url()))
    red = [f"{case.case_id}: {case.result} {case.result_close}" for case in results if not case.passed]
    record_property("right", len(results) - len(red))
    record_property("total", 517)
    told = sorted(case.case_id for case in results if case.behavior == Behavior.INFORMATIONAL)
    assert not red, "\n".join(red)
    assert len(results) == 517
    # What the RFC leaves open: data after a close frame, and close codes from 5000 on.
    assert told == ["7.1.6", "7.13.1", "7.13.2"]
