"""Power: how many worlds would decide a claim.

With n values of standard deviation s, and a smallest effect of interest d, a claim is decided
either way with 80 % power if

    (t(.975) + t(.80)) s / sqrt(n) <= d     it holds where the effect is d
    (t(.95) + t(.90)) s / sqrt(n) <= d      it is null where the effect is zero

t at n - 1 degrees of freedom. The second line, with the margin for d, is that of a control. s is
that of the worlds at hand, so n is an estimate.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from twin.experiments.findings.kit.claims import Claim

POWER = 0.8
MOST = 10_000_000
"""Worlds beyond which the answer is "not by more worlds"."""


def needed(values: ArrayLike, matters: float) -> float:
    """Worlds after which a claim with these values (replicates,) holds or is null; NaN where their
    spread is not known, infinity beyond `MOST`."""
    return _fewest(values, matters, both=True)


def needed_within(values: ArrayLike, margin: float) -> float:
    """Worlds after which the mean of such values is shown to lie within +-``margin``, if it is
    zero."""
    return _fewest(values, margin, both=False)


def needed_pairs(matters: float) -> float:
    """Pairs after which a rank correlation is shown to be ``matters``, see
    `twin.experiments.findings.kit.means.fisher`."""
    reach = float(stdtrit(1e9, 0.975) + stdtrit(1e9, POWER)) / math.atanh(matters)
    return math.ceil(1.06 * reach**2 + 3)


def worlds(claim: Claim) -> float:
    """How many worlds (of a correlation: parameters) would decide a settled claim; NaN if it is
    decided, or if that cannot be known."""
    if claim.state != "open":
        return math.nan
    if claim.kind == "related":
        return needed_pairs(claim.matters.size)
    if claim.kind == "band":
        return needed_within(claim.values, (claim.high_bound - claim.low_bound) / 2)
    if claim.kind == "vanishes":
        paired = len(claim.values) == len(claim.others)
        c, e = np.array(claim.values), np.array(claim.others) if paired else np.zeros(1)
        edges = [c + side * claim.share.size * e for side in (1, -1)]
        return max(needed_within(edge, claim.margin) for edge in edges)
    return needed(claim.values, claim.matters.size)


def in_words(claim: Claim) -> str:
    """The same in words; empty where there is nothing to say."""
    number = worlds(claim)
    if math.isnan(number):
        return ""
    if math.isinf(number):
        return "no number of worlds decides it"
    if number <= claim.n:
        return "it has as many as 80 % power asks for"
    what = "parameters" if claim.kind == "related" else "worlds"
    return f"about {number:,.0f} {what} for 80 % power"


def _fewest(values: ArrayLike, margin: float, both: bool) -> float:
    v = np.asarray(values, np.float64)
    if len(v) < 2 or not np.isfinite(v).all() or not math.isfinite(margin):
        return math.nan
    spread = float(v.std(ddof=1))

    def enough(n: int) -> bool:
        # Two tests share the errors of "null" at truth zero, hence half of 1 - POWER for each.
        reach = stdtrit(n - 1, 0.95) + stdtrit(n - 1, 1 - (1 - POWER) / 2)
        if both:
            reach = max(reach, stdtrit(n - 1, 0.975) + stdtrit(n - 1, POWER))
        return bool(reach * spread / math.sqrt(n) <= margin)

    if not enough(MOST):
        return math.inf
    # More worlds never decide less, so halving finds the fewest.
    low, high = 1, 2
    while not enough(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
