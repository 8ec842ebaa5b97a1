"""What a stress test found, goal by goal: how often it fails, how sure that is, the worst world on
fresh luck, which way failure lies.

Over the n drawn worlds whose margin is known, of which k fail:

    share = k / n            95 % interval of Clopper and Pearson (1934)
    bound = 1 - 0.05^(1/n)   where k = 0: shares above it are excluded with 95 % confidence (about 3
                             / n, the rule of three)

A confirmed failure is one whose mean margin over the fresh seeds has a 95 % interval (Student's t)
wholly below zero.

Direction, per parameter with position u (0..1 of its range, on the scale that it is drawn on), over
the drawn worlds: Spearman's rank correlation of u and the margin, and the mean u of failing worlds
less that of holding ones with p by Mann and Whitney's test. q corrects each over all parameters and
goals (Benjamini-Hochberg). A parameter is distinguishable from noise if q of the
correlation is below 0.05.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa

from twin.experiments import effects
from twin.experiments.stress.goals import Goal
from twin.experiments.stress.outcomes import CONFIRM, DRAWN, SEARCH, Outcome
from twin.experiments.stress.search import Array
from twin.experiments.stress.uncertain import Uncertain
from twin.ground.later import stats

ALPHA = 1 - effects.LEVEL


@dataclass(frozen=True)
class Rate:
    """How many of the worlds whose margin is known fail, with the interval of their share."""

    n: int
    fails: int
    unknown: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """Share that fails; NaN without worlds."""
        return self.fails / self.n if self.n else math.nan

    @property
    def bound(self) -> float:
        """Where none fails: the greatest share that is not excluded, at 95 % confidence on that
        side alone."""
        return 1 - ALPHA ** (1 / self.n) if self.n else 1.0


@dataclass(frozen=True)
class Fresh:
    """An extreme world on fresh luck: ``found`` its margin when found, then the margins of the
    fresh seeds with their mean and interval."""

    point: int
    phase: str
    values: tuple[str, ...]
    found: float
    each: tuple[float, ...]
    mean: float
    low: float
    high: float
    fails: int

    @property
    def confirmed(self) -> str:
        """``fails`` or ``holds`` if the interval lies on one side of zero, else empty."""
        return "fails" if self.high < 0 else "holds" if self.low > 0 else ""


@dataclass(frozen=True)
class Direction:
    """Which way failure lies along one parameter; NaN where it is not known."""

    parameter: str
    correlation: float
    p: float
    q: float
    failing: float
    holding: float
    difference_p: float
    difference_q: float

    @property
    def sure(self) -> bool:
        """Whether it is distinguishable from noise, all parameters and goals considered."""
        return effects.established(self.q)

    @property
    def standing(self) -> str:
        """How sure it is, in the wording of all reports."""
        return effects.standing_of_test(self.q, self.p)

    @property
    def towards(self) -> str:
        """The end at which margins are small."""
        return "high" if self.correlation < 0 else "low"


@dataclass(frozen=True)
class Verdict:
    """All about one goal."""

    goal: Goal
    drawn: Rate
    searched: Rate
    worst: Fresh | None
    best: Fresh | None
    directions: list[Direction] = field(default_factory=list)

    def facts(self) -> dict[str, Any]:
        """What the manifest keeps."""
        worst = self.worst
        return {
            "goal": self.goal.text,
            "drawn": self.drawn.n,
            "fails": self.drawn.fails,
            "unknown": self.drawn.unknown,
            "low": self.drawn.low,
            "high": self.drawn.high,
            "searched": self.searched.n,
            "search_fails": self.searched.fails,
            "worst_point": worst.point if worst else None,
            "worst": (worst.confirmed or "open") if worst else None,
        }


def rate(holds: Sequence[bool | None]) -> Rate:
    """How often a goal fails; what could not be read does not count."""
    known = [each for each in holds if each is not None]
    fails = known.count(False)
    # nothing known excludes nothing: the interval is all of 0..1
    if not known:
        return Rate(n=0, fails=0, unknown=len(holds), low=0.0, high=1.0)
    interval = stats().binomtest(fails, len(known)).proportion_ci(effects.LEVEL, "exact")
    return Rate(
        n=len(known),
        fails=fails,
        unknown=len(holds) - len(known),
        low=float(interval.low),
        high=float(interval.high),
    )


def verdicts(
    seen: Sequence[Outcome], goals: Sequence[Goal], given: Sequence[Uncertain]
) -> list[Verdict]:
    """Verdicts on all goals, in order."""
    by_phase = {
        phase: [each for each in seen if each.world.phase == phase]
        for phase in (DRAWN, SEARCH, CONFIRM)
    }
    at = np.array(
        [
            [one.position(value) for one, value in zip(given, each.world.values, strict=True)]
            for each in by_phase[DRAWN]
        ]
    )
    made = []
    for g, goal in enumerate(goals):
        kept = {
            phase: [goal.holds(each.base[g], each.value[g]) for each in those]
            for phase, those in by_phase.items()
        }
        # drawn first: margins[: len(at)] below are theirs
        found = [*by_phase[DRAWN], *by_phase[SEARCH]]
        margins = np.array([each.margins(goals)[g] for each in found])
        # the worlds that `search.extremes` chose for fresh seeds
        ends = (
            [int(np.nanargmin(margins)), int(np.nanargmax(margins))]
            if np.isfinite(margins).any()
            else []
        )
        worst, best = (
            (_fresh(found[end], by_phase[CONFIRM], goals, g) for end in ends)
            if ends
            else (None, None)
        )
        made.append(
            Verdict(
                goal=goal,
                drawn=rate(kept[DRAWN]),
                searched=rate(kept[SEARCH]),
                worst=worst,
                best=best,
                directions=_directions(given, at, margins[: len(at)], kept[DRAWN]),
            )
        )
    return _corrected(made)


def _fresh(found: Outcome, confirmed: Sequence[Outcome], goals: Sequence[Goal], g: int) -> Fresh:
    mine = [each for each in confirmed if each.world.point == found.world.point]
    margins = np.array([each.margins(goals)[g] for each in mine])
    known = margins[np.isfinite(margins)]
    result = effects.paired(known[:, None], np.zeros((len(known), 1))) if len(known) > 1 else None
    mean, low, high = (
        float(getattr(result, name)[0]) if result else math.nan
        for name in ("effect", "low", "high")
    )
    fails = sum(goals[g].holds(each.base[g], each.value[g]) is False for each in mine)
    return Fresh(
        point=found.world.point,
        phase=found.world.phase,
        values=found.world.values,
        found=found.margins(goals)[g],
        each=tuple(known.tolist()),
        mean=mean,
        low=low,
        high=high,
        fails=fails,
    )


def _directions(
    given: Sequence[Uncertain], at: Array, margins: Array, holds: Sequence[bool | None]
) -> list[Direction]:
    failing, holding = (
        np.array([each is False for each in holds]),
        np.array([each is True for each in holds]),
    )
    known = np.isfinite(margins)
    made = []
    for k, one in enumerate(given):
        u, nan = at[:, k], math.nan
        correlation = p = apart = nan
        # a rank correlation needs points, and both sides to vary
        if known.sum() >= 5 and len(set(margins[known])) > 1 and len(set(u[known])) > 1:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # scipy on ties
                result: Any = stats().spearmanr(u[known], margins[known])
            correlation, p = float(result.statistic), float(result.pvalue)
        if failing.any() and holding.any():
            apart = float(stats().mannwhitneyu(u[failing], u[holding]).pvalue)
        made.append(
            Direction(
                parameter=one.vary.path,
                correlation=correlation,
                p=p,
                q=nan,  # corrected over all goals later
                failing=float(u[failing].mean()) if failing.any() else nan,
                holding=float(u[holding].mean()) if holding.any() else nan,
                difference_p=apart,
                difference_q=nan,
            )
        )
    return made


def _corrected(made: Sequence[Verdict]) -> list[Verdict]:
    """The same with q over all goals and parameters; the surest first."""
    every = [each for verdict in made for each in verdict.directions]
    # q come back in the order of `every`, and are taken before each verdict is sorted
    q = iter(effects.discoveries(np.array([each.p for each in every])).tolist())
    apart = iter(effects.discoveries(np.array([each.difference_p for each in every])).tolist())
    return [
        replace(
            verdict,
            directions=sorted(
                (replace(each, q=next(q), difference_q=next(apart)) for each in verdict.directions),
                key=lambda each: -abs(each.correlation) if math.isfinite(each.correlation) else 1.0,
            ),
        )
        for verdict in made
    ]


def table(made: Sequence[Verdict]) -> pa.Table:
    """Directions as a table: goals in order, the strongest parameter first."""
    names = [name for name in Direction.__dataclass_fields__ if name != "parameter"]
    schema = pa.schema(
        [
            ("goal", pa.string()),
            ("parameter", pa.string()),
            *((name, pa.float64()) for name in names),
            ("sure", pa.bool_()),
        ]
    )
    return pa.Table.from_pylist(
        [
            {"goal": verdict.goal.text, **asdict(each), "sure": each.sure}
            for verdict in made
            for each in verdict.directions
        ],
        schema=schema,
    )
