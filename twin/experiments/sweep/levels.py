"""Outcomes by level of a parameter that has few: means with intervals, and differences from the
first level.

A rank correlation needs points; two levels have none to rank. Runs of a grid come in pairs, as the
same replicate at the same point of all other parameters has the same luck at every level, so

    d = y(level) - y(first level)    effect = mean d, interval and p of the paired t-test

and q corrects p over all levels and outcomes (Benjamini-Hochberg). Means have the interval of their
runs alone: mean +- t(n - 1) sd / sqrt(n), unknown for one run.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from twin.experiments import effects
from twin.experiments.sweep.points import Swept
from twin.experiments.words import Key

MOST = 12
"""Most values of a parameter that are taken as levels."""
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Level:
    """One outcome at one level of a parameter. ``effect`` with ``low``, ``high`` and ``q`` is the
    difference from the ``first`` level, NaN at that one and where runs come in no pairs."""

    parameter: str
    level: str
    first: str
    key: Key
    n: int
    mean: float
    mean_low: float
    mean_high: float
    pairs: int = 0
    base: float = math.nan
    effect: float = math.nan
    low: float = math.nan
    high: float = math.nan
    p: float = math.nan
    q: float = math.nan

    @property
    def standing(self) -> str:
        """How sure the difference is; empty where there is none to judge."""
        if not math.isfinite(self.effect):
            return ""
        if self.effect == self.low == self.high == 0:
            return "equal to the last bit"
        if self.pairs < 2:
            return "one pair of runs: no interval"
        return effects.standing(self.q, self.low, self.high)


def by_level(swept: Swept) -> list[Level]:
    """Rows in the order parameter, outcome, level; none of a parameter with more than `MOST`
    values."""
    rows = [
        row
        for place in range(len(swept.varied))
        for i, key in enumerate(swept.series)
        for row in _rows(swept, place, i, key)
    ]
    tested = np.array(
        [row.p if (row.effect, row.low, row.high) != (0, 0, 0) else math.nan for row in rows]
    )
    q = effects.discoveries(tested) if rows else tested
    return [replace(row, q=float(each)) for row, each in zip(rows, q, strict=True)]


def _rows(swept: Swept, place: int, i: int, key: Key) -> Iterator[Level]:
    texts = [point[place] for point in swept.points]
    levels = list(dict.fromkeys(texts))
    if not 2 <= len(levels) <= MOST:
        return
    groups = {level: [n for n, text in enumerate(texts) if text == level] for level in levels}
    first = swept.values[groups[levels[0]], :, i]
    for level in levels:
        runs = swept.values[groups[level], :, i]
        known = runs[np.isfinite(runs)]
        if not len(known):
            continue
        # against zero: mean and interval of the runs themselves
        own = effects.paired(known[:, None], np.zeros((len(known), 1)))
        row = Level(
            swept.varied[place].path,
            level,
            levels[0],
            key,
            len(known),
            mean=float(own.effect[0]),
            mean_low=float(own.low[0]),
            mean_high=float(own.high[0]),
        )
        if level != levels[0] and _matched(swept, place, groups[levels[0]], groups[level]):
            pair = effects.paired(runs.reshape(-1, 1), first.reshape(-1, 1))
            row = replace(
                row,
                pairs=int(pair.n[0]),
                base=float(pair.base[0]),
                effect=float(pair.effect[0]),
                low=float(pair.low[0]),
                high=float(pair.high[0]),
                p=float(pair.p[0]),
            )
        yield row


def _matched(swept: Swept, place: int, one: list[int], other: list[int]) -> bool:
    """Whether two groups of points agree in all other parameters, one by one."""

    def rest(point: int) -> tuple[str, ...]:
        values = swept.points[point]
        return (*values[:place], *values[place + 1 :])

    return [rest(point) for point in one] == [rest(point) for point in other]
