"""Which points of a parameter space are run: full grid, Latin hypercube, or Sobol sequence.

A parameter is written ``PATH=A,B,C`` (levels), ``PATH=LOW..HIGH`` (a range) or
``PATH=LOW..HIGH:log``, in the scenario's own words (``creators.ai.arrivals=0.05/d..0.5/d``). With u
in [0, 1) the share of the way that a point lies,

    value = low + u (high - low)            log:  low (high / low)^u
    whole numbers: the same over low - 1/2 .. high + 1/2, rounded, so that the ends are as likely
                   as the rest
    durations:     in seconds, rounded to the grid of the run's clocks
    levels:        number floor(u n)

Points are those of scipy.stats.qmc, scrambled by the scenario's seed (McKay et al. 1979; Sobol
1967), so the same command gives the same.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from twin.ground.errors import Problem, ScenarioError, UsageError
from twin.ground.later import stats
from twin.ground.units import format_duration, parse_duration, parse_rate
from twin.scenario.describe import as_file
from twin.scenario.loading import Scenario, load
from twin.world.params import leaves

Method = Literal["grid", "lhs", "sobol"]
MOST = 100_000
"""Most points of a design."""
_END = re.compile(r"^\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(\S*)\s*$")
TIMES = ("s", "min", "h", "d", "w")
"""Units of durations."""


@dataclass(frozen=True)
class Vary:
    """One parameter of a design: ``levels`` as texts, or a range from ``low`` to ``high`` in the
    unit of ``suffix``.

    ``whole``: whole numbers only; ``grid``: durations are multiples of so many seconds.
    """

    path: str
    levels: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 0.0
    suffix: str = ""
    log: bool = False
    whole: bool = False
    grid: int = 1

    def at(self, share: float) -> str:
        """The value at ``share`` (0 to 1) of the way, as text for ``--set``."""
        if self.levels:
            # a share of 1, the upper end that reports ask for, belongs to the last level
            return self.levels[min(int(share * len(self.levels)), len(self.levels) - 1)]
        # half a step beyond both ends of whole numbers, or rounding would make the ends rarer
        low, high = (self.low - 0.5, self.high + 0.5) if self.whole else (self.low, self.high)
        value = low * (high / low) ** share if self.log else low + share * (high - low)
        if self.whole:
            # at the very ends rounding may leave the range: Python rounds halves to even
            return f"{min(max(round(value), round(self.low)), round(self.high))}{self.suffix}"
        if self.suffix in TIMES:
            seconds = value * parse_duration(f"1{self.suffix}")
            # one step of the grid at least: a short duration must not become none at all
            return format_duration(max(1, round(seconds / self.grid)) * self.grid)
        return f"{float(f'{value:.6g}')!r}{self.suffix}"


def parse(text: str) -> Vary:
    """A parameter from ``PATH=...``. Raises UsageError."""
    path, equals, given = text.partition("=")
    path = path.strip()
    if not equals or not path or not given.strip():
        raise UsageError(
            f"--vary {text}: write PATH=A,B,C or PATH=LOW..HIGH, such as recommender.dim=4,16,64"
        )
    body, log = (given.strip()[:-4], True) if given.strip().endswith(":log") else (given, False)
    if ".." not in body:
        if log:
            raise UsageError(f"--vary {text}: :log belongs to a range, LOW..HIGH")
        levels = tuple(part.strip() for part in _parts(body))
        if "" in levels or len(set(levels)) < len(levels):
            wrong = "a level is empty" if "" in levels else "a level is there twice"
            raise UsageError(f"--vary {text}: {wrong} (write each once: A,B,C)")
        return Vary(path, levels)
    ends = [_END.match(part) for part in body.split("..", 1)]
    if None in ends:
        raise UsageError(
            f"--vary {text}: a range is LOW..HIGH in numbers with their unit, such as 0.05/d..0.5/d"
        )
    (low, first), (high, last) = ((match[1], match[2]) for match in ends if match)
    if first != last:
        raise UsageError(f"--vary {text}: the two ends have different units (write both in one)")
    if float(low) >= float(high):
        raise UsageError(f"--vary {text}: the first end is not below the second")
    if log and float(low) <= 0:
        raise UsageError(f"--vary {text}: :log needs numbers above zero")
    if not math.isfinite(float(high) / float(low) if log else float(high) - float(low)):
        raise UsageError(f"--vary {text}: the range is too wide for its numbers (narrow it)")
    return Vary(path, low=float(low), high=float(high), suffix=last, log=log)


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


def fitted(varied: Sequence[Vary], scenario: Scenario) -> list[Vary]:
    """The parameters as the scenario has them: which are whole numbers, and the grid of durations.
    Raises UsageError."""
    made, seen = [], set()
    for each in varied:
        # both spellings name one parameter, which must not be varied twice
        path = each.path.removeprefix("mechanisms.")
        if path == "replicate":
            raise UsageError(
                "--vary replicate: replicates are what a sweep repeats each point with (use "
                "--replicates; or vary the seed)"
            )
        if path in seen:
            raise UsageError(f"--vary {each.path}: is there twice (write all its values once)")
        seen.add(path)
        mechanism, _, rest = path.partition(".")
        params = scenario.mechanisms.get(mechanism)
        info = dict(leaves(type(params))).get(rest) if params is not None else None
        # with a unit it is a duration or a rate; the seed is a parameter of no mechanism
        whole = not each.suffix and (
            (info is not None and info.annotation in (int, int | None)) or path == "seed"
        )
        if whole and not each.levels and (each.low != int(each.low) or each.high != int(each.high)):
            raise UsageError(
                f"--vary {each.path}: takes whole numbers, and its range has other ends"
            )
        made.append(
            replace(
                each,
                whole=whole,
                grid=scenario.grid if each.suffix in TIMES else 1,
            )
        )
    return made


def points(varied: Sequence[Vary], method: Method, count: int, seed: int) -> list[tuple[str, ...]]:
    """Values of every point, in the order of ``varied``; the last parameter of a grid turns
    fastest. Raises UsageError."""
    if method == "grid":
        ranges = [each.path for each in varied if not each.levels]
        if ranges:
            raise UsageError(
                f"--method grid: {ranges[0]} is a range; list its levels, or use --method lhs"
            )
        # counted before they are made: such a product may not fit into memory
        if (many := math.prod(len(each.levels) for each in varied)) > MOST:
            raise UsageError(
                f"--method grid: {many} points are more than {MOST} (use --method lhs or sobol "
                f"with --points)"
            )
        return list(itertools.product(*(each.levels for each in varied)))
    if count > MOST:
        raise UsageError(f"--points {count}: are more than {MOST}")
    unit = sample(len(varied), method, count, seed)
    return [
        tuple(each.at(float(share)) for each, share in zip(varied, row, strict=True))
        for row in unit
    ]


def sample(dimensions: int, method: Method, count: int, seed: int) -> NDArray[np.float64]:
    """Points of the unit cube (count, dimensions); Sobol sequences come in powers of two, so count
    is raised to the next."""
    rng = np.random.default_rng(seed)
    if method == "sobol":
        return np.asarray(
            stats().qmc.Sobol(dimensions, rng=rng).random_base2(max(0, math.ceil(math.log2(count))))
        )
    # the points of `scipy.stats.qmc.LatinHypercube`, which draws by a child of its generator
    rng = rng.spawn(1)[0]
    within = rng.uniform(size=(count, dimensions))
    cells = np.tile(np.arange(1, count + 1), (dimensions, 1))
    for axis in cells:
        rng.shuffle(axis)
    return np.asarray((cells.T - within) / count)


def sets(varied: Sequence[Vary], point: Sequence[str]) -> tuple[str, ...]:
    """A point as ``--set`` arguments."""
    return tuple(f"{each.path}={value}" for each, value in zip(varied, point, strict=True))


def loaded(
    scenario: Scenario, varied: Sequence[Vary], chosen: Sequence[tuple[str, ...]]
) -> list[Scenario]:
    """The scenario at every point. Raises ScenarioError with the problems of all points."""
    # a set, as most problems are those of every point
    problems: set[Problem] = set()
    made = []
    with as_file(scenario) as base:
        for point in chosen:
            try:
                made.append(load(base, sets(varied, point)))
            except ScenarioError as error:
                problems |= {
                    # users wrote --vary, and must not be sent to a --set that they never wrote
                    replace(each, file="--vary") if each.file.startswith("--set") else each
                    for each in error.problems
                }
    if problems:
        raise ScenarioError(problems)
    return made


def quantity(text: str) -> float:
    """A value as a number: durations in seconds, rates per day; NaN for what is none."""
    for kind in (float, parse_duration, parse_rate):
        try:
            return float(kind(text))
        except ValueError:
            continue
    return math.nan
