"""How good a forecast was: proper scores of one outcome.

With q the quantiles at 5, 25, 50, 75 and 95 %, p the probabilities of below, inside and above the
smallest effect of interest (SESOI), y the result and s its standard error:

    Brier      sum over the three of (p - o)^2, o 1 for what happened; where the result may be one of
               two, these count as one
    covered    whether y is inside the 50 % and the 90 % interval, each widened by s
    WIS        (|median - y| / 2 + sum over both intervals of (alpha / 2) IS_alpha) / 2.5
               IS_alpha = (u - l) + (2 / alpha) max(l - y, 0) + (2 / alpha) max(y - u, 0)
    loss       log(1 + WIS / max(SESOI, s)): what is averaged within experiments, then over them

The weighted interval score is `twin.experiments.scores.weighted`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from twin.experiments import scores
from twin.experiments.forecasts.document import SIGNS, Answer
from twin.experiments.forecasts.truths import Truth

INTERVALS = ((0.5, 1, 3), (0.1, 0, 4))
"""alpha of each interval, and the places of its ends among the quantiles."""


@dataclass(frozen=True)
class Scored:
    """Scores of one outcome. What needs a size is NaN, or None, where the sign alone is known.

    ``right``: whether the likeliest category is what happened; ``inside``: whether y is in the 50 %
    and the 90 % interval.
    """

    experiment: str
    outcome: str
    brier: float
    right: bool
    null: bool
    loss: float
    inside: tuple[bool, bool] | None
    width: float


def wis(quantiles: Sequence[float], y: float) -> float:
    """The weighted interval score of quantiles (5,)."""
    alpha = [level for level, _, _ in INTERVALS]
    lower, upper = [quantiles[k] for _, k, _ in INTERVALS], [quantiles[k] for _, _, k in INTERVALS]
    return float(scores.weighted(quantiles[2], lower, upper, alpha, y))


def brier(p: Sequence[float], category: str) -> float:
    """The Brier score of probabilities (3,); ``category`` holds the signs that the result may
    have."""
    happened = sum(each for sign, each in zip(SIGNS, p, strict=True) if sign in category)
    others = [each for sign, each in zip(SIGNS, p, strict=True) if sign not in category]
    return (1 - happened) ** 2 + sum(each**2 for each in others)


def score(experiment: str, answer: Answer, truth: Truth, error: float = 1.0) -> Scored:
    """Scores of an answer that is not "cannot". ``error``: a factor on an imputed s."""
    likeliest = SIGNS[max(range(len(SIGNS)), key=lambda k: answer.p[k])]
    loss, inside, width = math.nan, None, math.nan
    if truth.sized:
        s, q = truth.s * (error if truth.imputed else 1.0), answer.quantiles
        loss = math.log1p(wis(q, truth.y) / max(answer.sesoi, s))
        half, most = (q[low] - s <= truth.y <= q[high] + s for _, low, high in INTERVALS)
        inside, width = (half, most), q[4] - q[0]
    return Scored(
        experiment,
        answer.id,
        brier(answer.p, truth.category),
        likeliest in truth.category,
        truth.category == "0",
        loss,
        inside,
        width,
    )
