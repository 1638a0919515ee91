"""`core/bench/run` runs this in the generator's container."""

import argparse
import json
import sys
import time
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path
from subprocess import SubprocessError

from harness import machine, measure, report
from harness.cases import CASES, Case
from harness.link import Failed, Link

FIGURES = Path("/bench/data/figures.json")
DOCS = Path("/bench/data/docs")
# One case that cannot be measured does not end the others.
UNMEASURED = (Failed, OSError, SubprocessError, HTTPException, AssertionError)
QUIET = 0.85  # the share of a core that a loop must get


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="core/bench/run")
    parser.add_argument("words", nargs="*", metavar="CASE", help="cases whose name contains one of these; else all")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=2.0, help="that each server is measured in each round")
    parser.add_argument("--list", action="store_true", help="print the cases and their bars")
    parser.add_argument("--report", action="store_true", help="write the documents from the figures so far")
    return parser.parse_args()


def chosen(words: list[str]) -> list[Case]:
    cases = [case for case in CASES if not words or any(word in case.name for word in words)]
    for word in words:
        if not any(word in case.name for case in CASES):
            sys.exit(f"bench: no case is called {word}: core/bench/run --list")
    return cases


def progress(line: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K  {line}", end="", file=sys.stderr, flush=True)


def run(cases: list[Case], rounds: int, seconds: float, figures: report.Figures) -> bool:
    """False: a case fell below its bar, or could not be measured. What was measured on a busy machine is not kept."""
    good = True
    for number, case in enumerate(cases, 1):
        name = f"[{number}/{len(cases)}] {case.name}"
        began = time.monotonic()
        left = Link("full").ask("spin", seconds=0.5)
        try:
            samples = measure.run(case, rounds, seconds, progress)
        except UNMEASURED as failed:
            progress("")
            print(f"{name}: NOT MEASURED: {failed or type(failed)}", flush=True)
            figures.pop(case.name, None)
            good = False
            continue
        progress("")
        lines, met = report.lines(case, samples)
        good &= met
        print("\n".join([f"{name} ({time.monotonic() - began:.0f} s)", *lines]), flush=True)
        if left < QUIET:
            print(f"    NOT KEPT: something else runs on the servers' core, {left:.0%} of it is left", flush=True)
            continue
        when = f"{datetime.now(UTC):%Y-%m-%d}"
        figures[case.name] = {"samples": samples, "when": when, "seconds": seconds, **machine.facts()}
        FIGURES.write_text(json.dumps(figures))
    return good


def check_quota() -> None:
    share = Link("half").ask("spin", seconds=0.5)
    if share > 0.6:
        sys.exit(f"bench: the quota of half a core does not hold: the server gets {share:.2f} of one")


def main() -> int:
    options = arguments()
    machine.open_files()
    if options.list:
        print("\n".join(report.listing(CASES)))
        return 0
    figures: report.Figures = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
    good = True
    if not options.report:
        check_quota()
        good = run(chosen(options.words), options.rounds, options.seconds, figures)
    if options.report or not options.words:
        DOCS.mkdir(exist_ok=True)
        report.write(DOCS, figures)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
