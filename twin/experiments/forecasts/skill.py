"""Skill over naive forecasts, and the sentence that may be written.

    skill = 1 - loss of the forecasts / loss of the naive ones

where a loss is the mean over experiments of the mean within one (`scoring`), with an 80 % interval
by bootstrap over experiments, and a permutation test: how often forecasts dealt out at random over
the outcomes of their form score as well. What the twin cannot express counts as N0 says.

The sentence, fixed before any key was opened:

    void                more than a quarter of the outcomes cannot be expressed
    predicts            skill against N0, N1 and N2 is positive with intervals above zero; at least 14
                        of 18 sizes lie in the 90 % interval; the Brier score is below that of the
                        best naive forecaster; at least half of the nulls are called null
    promising           skill against all three is positive, without the rest
    worse than naive    any other
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from twin.experiments.forecasts import naive, scoring
from twin.experiments.forecasts.catalogue import experiment
from twin.experiments.forecasts.declare import Outcome
from twin.experiments.forecasts.document import Answer
from twin.experiments.forecasts.scoring import Scored
from twin.experiments.forecasts.truths import Key, Truth

DRAWS, LEVEL, SEED = 4000, 0.8, 20
"""Of the bootstrap and of the permutation test; both are seeded, so scores are reproducible."""
MOST_CANNOT, LEAST_COVERED, LEAST_NULLS = 0.25, 14 / 18, 0.5
OWN = "twin"
"""The column of the forecasts themselves, beside those of `naive.NAMES`."""
Answers = Mapping[str, Sequence[Answer]]
"""Answers by experiment."""


@dataclass(frozen=True)
class Row:
    """An outcome with its result and what everyone said of it: by `OWN` and `naive.NAMES`."""

    experiment: str
    outcome: Outcome
    truth: Truth
    said: Mapping[str, Answer]
    cannot: str


@dataclass(frozen=True)
class Skill:
    """Skill against one naive forecaster, with its interval."""

    against: str
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Result:
    """Scores of a set of experiments.

    ``briers`` mean by forecaster; ``right`` and ``outcomes`` how many likeliest categories were
    right, of how many; ``covered`` sizes in the 50 and 90 % interval; ``nulls`` called null, of all;
    ``p`` of the permutation test; ``error``: the factor on imputed standard errors.
    """

    scored: Sequence[tuple[Row, Scored]]
    briers: Mapping[str, float]
    losses: Mapping[str, float]
    skills: Sequence[Skill]
    p: float
    error: float = 1.0

    @property
    def outcomes(self) -> int:
        """How many outcomes were scored."""
        return len(self.scored)

    @property
    def right(self) -> int:
        """Likeliest categories that happened."""
        return sum(each.right for _, each in self.scored)

    @property
    def sized(self) -> list[Scored]:
        """Those with a size."""
        return [each for _, each in self.scored if each.inside is not None]

    @property
    def covered(self) -> tuple[int, int]:
        """Sizes inside the 50 and the 90 % interval."""
        inside = [each.inside for each in self.sized if each.inside is not None]
        return sum(half for half, _ in inside), sum(most for _, most in inside)

    @property
    def width(self) -> float:
        """Median width of the 90 % intervals, so that vagueness shows."""
        return float(np.median([each.width for each in self.sized])) if self.sized else math.nan

    @property
    def nulls(self) -> tuple[int, int]:
        """Nulls called null, and all nulls."""
        found = [each.right for _, each in self.scored if each.null]
        return sum(found), len(found)

    @property
    def cannot(self) -> int:
        """Outcomes that cannot be expressed."""
        return sum(bool(row.cannot) for row, _ in self.scored)

    @property
    def sentence(self) -> str:
        """What may be written."""
        if self.cannot > MOST_CANNOT * self.outcomes:
            return "void"
        if not self.skills or not all(each.value > 0 for each in self.skills):
            return "worse than naive"
        nulls, of = self.nulls
        kept = (
            all(each.low > 0 for each in self.skills)
            and self.covered[1] >= LEAST_COVERED * len(self.sized)
            and self.briers[OWN] < min(self.briers[name] for name in naive.NAMES)
            and nulls >= LEAST_NULLS * of
        )
        return "predicts" if kept else "promising"


def rows(key: Key, answers: Answers, primary: bool = True) -> list[Row]:
    """Outcomes that are in both, the primary ones or the others."""
    made = []
    for id, results in key.items():
        said = {each.id: each for each in answers.get(id, ())}
        for outcome in experiment(id).outcomes:
            if outcome.id not in results or outcome.id not in said or outcome.primary != primary:
                continue
            guesses = {name: naive.answer(name, id, outcome) for name in naive.NAMES}
            own = said[outcome.id]
            made.append(
                Row(
                    id,
                    outcome,
                    results[outcome.id],
                    {
                        **guesses,
                        OWN: replace(guesses["N0"], cannot=own.cannot) if own.cannot else own,
                    },
                    own.cannot,
                )
            )
    return made


def result(found: Sequence[Row], error: float = 1.0) -> Result:
    """Scores, skill and its intervals. ``error``: a factor on imputed standard errors."""
    scores = {
        name: [scoring.score(row.experiment, row.said[name], row.truth, error) for row in found]
        for name in (OWN, *naive.NAMES)
    }
    tables = {name: _by_experiment(each) for name, each in scores.items()}
    return Result(
        list(zip(found, scores[OWN], strict=True)),
        {name: _mean([each.brier for each in one], one) for name, one in scores.items()},
        {name: _or_nan(table) for name, table in tables.items()},
        [_skill(name, tables) for name in naive.NAMES] if len(tables[OWN]) else [],
        _permuted(found, error),
        error,
    )


def _mean(values: Sequence[float], scored: Sequence[Scored]) -> float:
    """Mean over experiments of the means within them."""
    by: dict[str, list[float]] = {}
    for each, value in zip(scored, values, strict=True):
        by.setdefault(each.experiment, []).append(value)
    return _or_nan(np.array([float(np.mean(one)) for one in by.values()]))


def _or_nan(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if len(values) else math.nan


def _by_experiment(scored: Sequence[Scored]) -> NDArray[np.float64]:
    """Mean loss of every experiment that has a size (experiments,)."""
    by: dict[str, list[float]] = {}
    for each in scored:
        if each.inside is not None:
            by.setdefault(each.experiment, []).append(each.loss)
    return np.array([float(np.mean(one)) for one in by.values()])


def _skill(name: str, tables: Mapping[str, NDArray[np.float64]]) -> Skill:
    """Skill against a naive forecaster; both are drawn together, experiment by experiment."""
    own, other = tables[OWN], tables[name]
    drawn = np.random.default_rng(SEED).integers(0, len(own), (DRAWS, len(own)))
    with np.errstate(all="ignore"):
        draws = 1 - own[drawn].mean(1) / other[drawn].mean(1)
        value = float(1 - own.mean() / other.mean())
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Skill(name, value, float(low), float(high))


def _permuted(found: Sequence[Row], error: float) -> float:
    """Share of random deals, within forms, of forecasts to outcomes that score as well or better;
    NaN where there is nothing to deal."""
    sized = [row for row in found if row.truth.sized]
    forms: dict[str, list[int]] = {}
    for place, row in enumerate(sized):
        forms.setdefault(row.outcome.form, []).append(place)
    if not any(len(places) > 1 for places in forms.values()):
        return math.nan
    losses = np.full((len(sized), len(sized)), np.nan)
    for places in forms.values():
        for i in places:
            for j in places:
                said = replace(sized[j].said[OWN], sesoi=sized[i].outcome.sesoi)
                scored = scoring.score(sized[i].experiment, said, sized[i].truth, error)
                losses[i, j] = scored.loss
    weights = np.array([1 / sum(r.experiment == row.experiment for r in sized) for row in sized])
    rng, deal = np.random.default_rng(SEED), np.arange(len(sized))
    own = float((weights * losses[deal, deal]).sum())
    as_good = 0
    for _ in range(DRAWS):
        for places in forms.values():
            deal[places] = rng.permutation(places)
        # rounding must not make an equal deal look worse
        as_good += float((weights * losses[np.arange(len(sized)), deal]).sum()) <= own + 1e-12
    return (1 + as_good) / (1 + DRAWS)
