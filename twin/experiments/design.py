"""Which points of a parameter space are run: full grid, Latin hypercube, or Sobol sequence.

A parameter is written ``PATH=A,B,C`` (levels), ``PATH=LOW..HIGH`` (a range) or ``PATH=LOW..HIGH:log``, in the scenario's own words
(``creators.ai.arrivals=0.05/d..0.5/d``). Ranges whose ends are whole numbers give whole numbers. Points are by scipy.stats.qmc, scrambled
by the scenario's seed (McKay et al. 1979; Sobol 1967), so the same command gives the same points.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import qmc

from twin.errors import UsageError

Method = Literal["grid", "lhs", "sobol"]
_END = re.compile(r"^\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(\S*)\s*$")


@dataclass(frozen=True)
class Vary:
    """One parameter of a design: ``levels`` as texts, or a range from ``low`` to ``high`` with the unit's ``suffix``."""

    path: str
    levels: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 0.0
    suffix: str = ""
    log: bool = False
    whole: bool = False

    def at(self, share: float) -> str:
        """The value at ``share`` (0..1) of the way, as text for ``--set``."""
        if self.levels:
            return self.levels[min(int(share * len(self.levels)), len(self.levels) - 1)]
        if self.log:
            value = math.exp(math.log(self.low) + share * (math.log(self.high) - math.log(self.low)))
        else:
            value = self.low + share * (self.high - self.low)
        return f"{round(value)}{self.suffix}" if self.whole else f"{float(f'{value:.6g}')!r}{self.suffix}"


def parse(text: str) -> Vary:
    """A parameter from ``PATH=...``. Raises UsageError."""
    path, equals, given = text.partition("=")
    path = path.strip()
    if not equals or not path or not given.strip():
        raise UsageError(f"--vary {text}: write PATH=A,B,C or PATH=LOW..HIGH, such as recommender.dim=4,16,64")
    body, log = (given.strip()[:-4], True) if given.strip().endswith(":log") else (given, False)
    if ".." not in body:
        if log:
            raise UsageError(f"--vary {text}: :log belongs to a range, LOW..HIGH")
        return Vary(path, tuple(part.strip() for part in _parts(body)))
    ends = [_END.match(part) for part in body.split("..", 1)]
    if None in ends:
        raise UsageError(f"--vary {text}: a range is LOW..HIGH in numbers with their unit, such as 0.05/d..0.5/d")
    (low, first), (high, last) = ((match[1], match[2]) for match in ends if match)
    if first != last or float(low) >= float(high) or (log and float(low) <= 0):
        why = "the first end is not below the second" if float(low) >= float(high) else ":log needs numbers above zero"
        why = "the two ends have different units" if first != last else why
        raise UsageError(f"--vary {text}: {why}")
    return Vary(path, (), float(low), float(high), last, log, all(end.lstrip("+-").isdigit() for end in (low, high)))


def _parts(text: str) -> list[str]:
    """Split at commas that are not inside brackets."""
    parts, depth = [""], 0
    for c in text:
        depth += (c in "[{") - (c in "]}")
        if c == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += c
    return parts


def points(varied: Sequence[Vary], method: Method, count: int, seed: int) -> list[tuple[str, ...]]:
    """Values of every point, in the order of ``varied``. Raises UsageError where the method does not fit."""
    if method == "grid":
        ranges = [each.path for each in varied if not each.levels]
        if ranges:
            raise UsageError(f"--method grid: {ranges[0]} is a range; list its levels, or use --method lhs")
        return list(itertools.product(*(each.levels for each in varied)))
    unit = sample(len(varied), method, count, seed)
    return [tuple(each.at(float(share)) for each, share in zip(varied, row, strict=True)) for row in unit]


def sample(dimensions: int, method: Method, count: int, seed: int) -> NDArray[np.float64]:
    """Points of the unit cube (count, dimensions); Sobol sequences come in powers of two, so count is raised to the next."""
    if method == "sobol":
        return np.asarray(qmc.Sobol(dimensions, rng=np.random.default_rng(seed)).random_base2(max(0, math.ceil(math.log2(count)))))
    return np.asarray(qmc.LatinHypercube(dimensions, rng=np.random.default_rng(seed)).random(count))
