"""The figures as lines for the terminal and as tables for core/docs/benchmark.md."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

from harness import plot
from harness.cases import CASES, COSTS, Bar, Case
from harness.measure import Sample
from harness.servers import SERVERS
from harness.stats import Ratio, ratio, reached

# By the name of the case: `samples` by server, and the facts of the machine.
type Figures = dict[str, dict[str, Any]]
UNITS = {"rate": "requests/s", "work": "requests/CPU s", "p99": "p99", "cpu": "CPU a request", "memory": "memory"}
READINGS = {"half": "half a core", "full": "a core", "wide": "all cores but one"}
TEMPLATE = Path("/bench/harness/benchmark.md")
PLACE = re.compile(r"<!-- (\w+) -->")


def lines(case: Case, samples: dict[str, list[Sample]]) -> tuple[list[str], bool]:
    """What the terminal shows of a case, and whether it met its bars."""
    shown, met = [], True
    for name, rounds in samples.items():
        values = (f"{key} {median(sample[key] for sample in rounds):.4g}" for key in rounds[0])
        shown.append(f"    {name:24} {'  '.join(values)}")
    for bar in case.bars:
        found = ratio(case, bar, samples)
        verdict = reached(bar, found)
        met &= verdict is not False
        shown.append(f"    {bar.metric} / {bar.peer}: {found}  {_bound(bar)}  {_verdict(bar, found)}")
    return shown, met


def listing(cases: Iterable[Case]) -> Iterator[str]:
    for case in cases:
        yield f"{case.name:22} {case.title} [{READINGS[case.where]}]"
        for bar in case.bars:
            yield f"{'':22} {bar.metric} / {bar.peer} {_bound(bar)}"


def write(folder: Path, figures: Figures) -> None:
    """benchmark.md and benchmark.svg."""
    cases = [case for case in CASES if case.name in figures]
    ratios = [(case, bar, ratio(case, bar, figures[case.name]["samples"])) for case in cases for bar in case.bars]
    parts = {
        "facts": "\n".join(_facts(cases, figures)),
        "bars": "\n".join(_bars([row for row in ratios if row[1].must is not None])),
        "beside": "\n".join(_bars([row for row in ratios if row[1].must is None])),
        "figures": "\n".join(_figures(cases, figures)),
    }
    text = PLACE.sub(lambda match: parts[match[1]], TEMPLATE.read_text())
    (folder / "benchmark.md").write_text(text)
    (folder / "benchmark.svg").write_text(plot.svg([row for row in ratios if row[1].must is not None]))


def _facts(cases: list[Case], figures: Figures) -> Iterator[str]:
    for fact in dict.fromkeys((figures[case.name]["machine"], figures[case.name]["versions"]) for case in cases):
        yield f"- {fact[0]}. {fact[1]}."
    days = sorted({figures[case.name]["when"] for case in cases})
    rounds = sorted({len(samples) for case in cases for samples in figures[case.name]["samples"].values()})
    seconds = sorted({figures[case.name]["seconds"] for case in cases})
    lengths = " and ".join(f"{each:g}" for each in seconds)
    yield f"- Measured on {', '.join(days)}; rounds: {', '.join(map(str, rounds))}, of {lengths} s."
    missing = [case.name for case in CASES if case not in cases]
    if missing:
        yield f"- Not measured: {', '.join(missing)}."


def _bars(rows: list[tuple[Case, Bar, Ratio]]) -> Iterator[str]:
    yield "| case | compared | with | Rivet / peer (95 %) | must | aim | |"
    yield "|---|---|---|---:|---:|---:|---|"
    for case, bar, found in rows:
        must, aim = (_limit(bar, value) for value in (bar.must, bar.aim))
        title = SERVERS[bar.peer].title if bar.peer not in ("rivet",) else "one process"
        yield f"| {case.title} | {UNITS[bar.metric]} | {title} | {found} | {must} | {aim} | {_verdict(bar, found)} |"


def _figures(cases: list[Case], figures: Figures) -> Iterator[str]:
    yield "| case | server held to | server | requests/s | CPU us | p50 ms | p99 ms | memory | generator busy |"
    yield "|---|---|---|---:|---:|---:|---:|---:|---:|"
    for case in cases:
        for name, rounds in figures[case.name]["samples"].items():
            middle = {key: median(sample[key] for sample in rounds) for key in rounds[0]}
            cells = [
                _cell(middle, "rate", "{:,.0f}"),
                _cell(middle, "cpu", "{:.2f}"),
                _cell(middle, "p50", "{:.2f}"),
                _cell(middle, "p99", "{:.2f}"),
                _cell(middle, "memory", "{:.1f}"),
                _cell(middle, "busy", "{:.0%}"),
            ]
            yield f"| {case.title} | {READINGS[case.where]} | {SERVERS[name].title} | {' | '.join(cells)} |"


def _cell(values: Sample, key: str, form: str) -> str:
    return form.format(values[key]) if key in values else ""


def _limit(bar: Bar, value: float | None) -> str:
    return "" if value is None else f"{'<=' if bar.metric in COSTS else '>='} {value:g}"


def _bound(bar: Bar) -> str:
    return "(no bar)" if bar.must is None else f"must {_limit(bar, bar.must)}, aim {_limit(bar, bar.aim) or '-'}"


def _verdict(bar: Bar, found: Ratio) -> str:
    verdict = reached(bar, found)
    if verdict is None:
        return ""
    if not verdict:
        return "**below**" if bar.metric not in COSTS else "**above**"
    if bar.aim is None:
        return "reached"
    aimed = found.value <= bar.aim if bar.metric in COSTS else found.value >= bar.aim
    return "aim reached" if aimed else "reached"
