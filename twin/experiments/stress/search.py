"""The search for worlds in which a policy fails: draws over the plausible, then where failure seems
near, then fresh luck."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import optuna
from numpy.typing import NDArray

from twin.experiments import design
from twin.experiments.stress.goals import Goal
from twin.experiments.stress.outcomes import CONFIRM, DRAWN, SEARCH, Outcome, StressWorld
from twin.experiments.stress.uncertain import Uncertain

BATCH = 8
"""Worlds that the search asks for at a time: the same on one worker and on a hundred."""
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Budget:
    """How many worlds are drawn, searched, and how many fresh seeds confirm."""

    worlds: int
    search: int
    confirm: int


Evaluate = Callable[[Sequence[StressWorld], str], Array]
"""Runs worlds (their phase in words): means of the goals' series (worlds, goals, 2), without and
with the policy."""


def explore(
    evaluate: Evaluate, goals: Sequence[Goal], given: Sequence[Uncertain], budget: Budget, seed: int
) -> list[Outcome]:
    """All three phases; what was seen, in order. Deterministic in its arguments and in what
    ``evaluate`` returns."""

    def see(worlds: Sequence[StressWorld], words: str) -> list[Outcome]:
        means = evaluate(worlds, words)
        return [
            Outcome(world, tuple(each[:, 0].tolist()), tuple(each[:, 1].tolist()))
            for world, each in zip(worlds, means, strict=True)
        ]

    # drawn: world i is replicate i, so every world has luck of its own
    shares = design.sample(len(given), "lhs", budget.worlds, seed)
    seen = see(
        [StressWorld(DRAWN, i, i, _values(given, row)) for i, row in enumerate(shares)], "drawn"
    )
    seen += _search(see, goals, given, shares, seen, budget, seed)
    # confirm: the same points, with replicates that no world had
    first = budget.worlds + budget.search
    seen += see(
        [
            StressWorld(CONFIRM, seen[place].world.point, first + k, seen[place].world.values)
            for place in extremes(seen, goals)
            for k in range(budget.confirm)
        ],
        "with fresh seeds",
    )
    return seen


def _values(given: Sequence[Uncertain], shares: Sequence[float] | Array) -> tuple[str, ...]:
    return tuple(each.vary.at(float(share)) for each, share in zip(given, shares, strict=True))


def _search(
    see: Callable[[Sequence[StressWorld], str], list[Outcome]],
    goals: Sequence[Goal],
    given: Sequence[Uncertain],
    shares: Array,
    drawn: Sequence[Outcome],
    budget: Budget,
    seed: int,
) -> list[Outcome]:
    """Worlds that Optuna asks for, in batches; a world without a score counts as failed."""
    if not budget.search:
        return []

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with warnings.catch_warnings():
        # both options below are marked as experimental
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        # a batch is asked for before any of it is known: constant_liar keeps its worlds apart
        sampler = optuna.samplers.TPESampler(seed=seed, multivariate=True, constant_liar=True)
    study = optuna.create_study(sampler=sampler, direction="minimize")
    # shares of the way, so that the search meets neither units, logarithms nor levels
    ranges: dict[str, Any] = {
        each.vary.path: optuna.distributions.FloatDistribution(0.0, 1.0) for each in given
    }
    # scaled by the worlds drawn alone, so scores of all batches compare
    scores = scorer(drawn, goals)
    # warm: the search starts from what the worlds drawn have shown
    for row, each in zip(shares, drawn, strict=True):
        if math.isfinite(score := scores(each)):
            at = {path: float(share) for path, share in zip(ranges, row, strict=True)}
            study.add_trial(optuna.trial.create_trial(params=at, distributions=ranges, value=score))
    found: list[Outcome] = []
    batches = -(-budget.search // BATCH)
    for batch in range(batches):
        asked = [study.ask(ranges) for _ in range(min(BATCH, budget.search - len(found)))]
        first = budget.worlds + len(found)
        worlds = [
            StressWorld(
                SEARCH,
                first + k,
                first + k,
                _values(given, [trial.params[path] for path in ranges]),
            )
            for k, trial in enumerate(asked)
        ]
        # in the order asked, whichever ended first: the next batch depends on the order
        for trial, each in zip(
            asked, see(worlds, f"searched, {batch + 1} of {batches}"), strict=True
        ):
            score = scores(each)
            if math.isfinite(score):
                study.tell(trial, score)
            else:
                # NaN is no value for Optuna, and a trial must not stay open
                study.tell(trial, state=optuna.trial.TrialState.FAIL)
            found.append(each)
    return found


def scorer(drawn: Sequence[Outcome], goals: Sequence[Goal]) -> Callable[[Outcome], float]:
    """The score of a world: least margin of its goals, each in standard deviations of those drawn;
    NaN where none is known."""
    margins = np.array([each.margins(goals) for each in drawn])
    scale = []
    for column in margins.T:
        known = column[np.isfinite(column)]
        spread = float(np.std(known, ddof=1)) if len(known) > 1 else 0.0
        # a margin that never varies keeps its own unit
        scale.append(spread if spread > 0 else 1.0)

    def score(each: Outcome) -> float:
        known = [
            margin / by
            for margin, by in zip(each.margins(goals), scale, strict=True)
            if math.isfinite(margin)
        ]
        # the worst goal decides, hence a common scale
        return min(known, default=math.nan)

    return score


def extremes(seen: Sequence[Outcome], goals: Sequence[Goal]) -> list[int]:
    """Places of the worlds of least and of greatest margin, for each goal in turn, once each."""
    found: list[int] = []
    for g in range(len(goals)):
        margins = np.array([each.margins(goals)[g] for each in seen])
        if np.isfinite(margins).any():
            found += [int(np.nanargmin(margins)), int(np.nanargmax(margins))]
    return list(dict.fromkeys(found))
