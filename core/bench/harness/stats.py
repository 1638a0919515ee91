"""Ratios paired within a round, their median, and its 95 % interval by bootstrap."""

import random
from dataclasses import dataclass
from statistics import median

from harness.cases import COSTS, Bar, Case
from harness.measure import Sample

RESAMPLES = 10_000


@dataclass(frozen=True)
class Ratio:
    """`low` and `high` bound the median."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2f} ({self.low:.2f}-{self.high:.2f})"


def ratio(case: Case, bar: Bar, samples: dict[str, list[Sample]]) -> Ratio:
    pairs = zip(samples[case.rivet], samples[bar.peer], strict=True)
    values = [own[bar.metric] / peer[bar.metric] for own, peer in pairs]
    chance = random.Random(1)
    medians = sorted(median(chance.choices(values, k=len(values))) for _ in range(RESAMPLES))
    return Ratio(median(values), medians[RESAMPLES * 25 // 1000], medians[RESAMPLES * 975 // 1000])


def reached(bar: Bar, ratio: Ratio) -> bool | None:
    """Whether `must` lies within the interval or on its good side; None: there is no bar."""
    if bar.must is None:
        return None
    return ratio.low <= bar.must if bar.metric in COSTS else ratio.high >= bar.must
