"""Claims judged by rules that are fixed before anything runs.

From values per replicate v_1 .. v_n (paired differences of worlds, slopes, ...) a claim has an
effect, the mean, and its 95 % t interval (`twin.experiments.findings.kit.means`). It states the
smallest effect of interest d. With m primary claims in the finding, and p the two-sided p of "the
effect is zero":

* *null*, for every kind below but *exact* and *vanishes*: the 90 % interval lies within +-d, that
  is, two one-sided tests reject |effect| >= d at 5 %. This goes before the other states: a
  difference that is certain and too small to matter is null.
* *sign*: holds if p < 0.05 and the effect has the expected sign. Fails if it has the other sign and
  m p < 0.05. Else open.
* *moves*: holds if p < 0.05. Else open.
* *band*: holds if the 90 % interval lies within the band. Fails if the interval at 1 - 0.05 / m and
  the band are apart. Else open.
* *related* (a rank correlation): as *sign*, on Fisher's scale.
* *exact*: holds if a number is what it should be within a tolerance (0 unless stated), else fails.
* *vanishes* (a control with effect c of a claim with effect e): with margin k |e|, k = 0.15 unless
  argued, it holds if two one-sided tests reject |c| >= k |e| at 5 %. Both effects have an error:
  the tests are of c - k |e| < 0 and c + k |e| > 0, replicate by replicate where there are as many.
  It holds too if it is exactly zero in every replicate. It fails if the interval of c - k |e| or c
  + k |e| at 1 - 0.05 / q, with q controls of primary claims, lies beyond the margin; a control
  within k d does not fail, whatever e is. Else open: too noisy to tell.

Primary claims need no correction in order to hold, because all of them must. Secondary claims share
one error rate: their p are corrected for their number (Holm 1979). Claims that are marked as
``aside`` are reported at 95 % and do not count.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from twin.experiments import effects
from twin.experiments.findings.kit.claims import Claim, State
from twin.experiments.findings.kit.means import (
    ALPHA,
    Interval,
    Mean,
    beyond,
    fisher,
    mean_of,
)


class Ruling(NamedTuple):
    """What a rule says of a claim, and why where that needs a word."""

    state: State
    why: str = ""


class Tested(NamedTuple):
    """What a claim is judged by: its estimate, p of the test by which it may hold, and among how
    many its failure counts."""

    mean: Mean
    p: float
    many: int


def settled(claims: Sequence[Claim]) -> list[Claim]:
    """The claims of one finding, judged."""
    # Claims that were added later are judged at the levels of the others without changing them.
    primary = {claim.says for claim in claims if claim.primary}
    controls = sum(claim.of in primary and not claim.aside for claim in claims)
    means = [_mean(claim) for claim in claims]
    p = np.array([_p(claim, mean) for claim, mean in zip(claims, means, strict=True)])
    family = np.array([claim.role == "secondary" for claim in claims], bool)
    p[family] = effects.holm(p[family])
    made = []
    for claim, mean, one in zip(claims, means, p, strict=True):
        many = len(primary) if claim.primary else controls if claim.of in primary else 1
        made.append(_settled(claim, Tested(mean, float(one), max(many, 1)), int(family.sum())))
    return made


def _mean(claim: Claim) -> Mean:
    """The estimate of a claim; of a correlation on Fisher's scale."""
    return fisher(claim.values, claim.others) if claim.kind == "related" else mean_of(claim.values)


def _p(claim: Claim, mean: Mean) -> float:
    if claim.kind == "exact" or not math.isfinite(mean.error):
        return math.nan
    if claim.kind == "vanishes":
        return _left(claim)
    if claim.kind == "band":
        return mean.within(claim.low_bound, claim.high_bound)
    return mean.other_than_zero()


def _settled(claim: Claim, test: Tested, family: int) -> Claim:
    """A claim with its outcome; ``family`` is the number of secondary claims."""
    found = test.mean.interval()
    # First, because one number has no interval and would be left open below.
    if claim.kind == "exact":
        found = Interval(found.effect, found.effect, found.effect)
        ruling = _exact(claim, found)
    elif not math.isfinite(test.mean.error):
        missing = not math.isfinite(found.effect)
        ruling = Ruling("open", "a reading is missing" if missing else "one value has no interval")
    elif claim.kind == "related":
        found = Interval(*(math.tanh(each) for each in found))
        ruling = _sign(claim, test, math.atanh(claim.matters.size))
    elif claim.kind in ("sign", "moves"):
        ruling = _sign(claim, test, claim.matters.size)
    elif claim.kind == "band":
        ruling = _band(claim, test, family if claim.role == "secondary" else test.many)
    else:
        ruling = _vanishes(claim, test)
    return replace(claim, **found._asdict(), **ruling._asdict(), p=test.p)


def _exact(claim: Claim, found: Interval) -> Ruling:
    if claim.low_bound <= found.effect <= claim.high_bound:
        return Ruling("holds")
    return Ruling("fails", "another number came out")


def _null(mean: Mean, matters: float) -> bool:
    """Whether an effect as large as what matters is excluded; False where nothing is stated."""
    return math.isfinite(matters) and mean.within(-matters, matters) < ALPHA


def _sign(claim: Claim, test: Tested, matters: float) -> Ruling:
    mean, p, many = test
    if _null(mean, matters):
        return Ruling("null", f"an effect of {claim.matters.size:.3g} is excluded")
    if p < ALPHA and mean.value * claim.sign >= 0:
        return Ruling("holds")
    # To fail takes more than not to hold: among many claims some have the wrong sign by chance.
    if p * many < ALPHA:
        return Ruling("fails", "it has the other sign")
    if mean.other_than_zero() < ALPHA:
        side = "" if mean.value * claim.sign >= 0 else "the other sign, but "
        return Ruling("open", f"{side}not at the level of all such claims together")
    return Ruling("open", "the interval holds zero")


def _band(claim: Claim, test: Tested, many: int) -> Ruling:
    mean = test.mean
    if _null(mean, claim.matters.size):
        return Ruling("null", f"an effect of {claim.matters.size:.3g} is excluded")
    if test.p < ALPHA:
        return Ruling("holds")
    outside = min(mean.below(claim.low_bound), mean.above(claim.high_bound))
    if 2 * outside * many < ALPHA:
        return Ruling("fails", "interval and band are apart")
    return Ruling("open", "the interval reaches beyond the band")


def _edges(claim: Claim) -> tuple[Mean, Mean]:
    """The control less its upper margin, and less its lower one."""
    factor = claim.share.size * math.copysign(1.0, claim.beside)
    return (
        beyond(claim.values, claim.others, factor),
        beyond(claim.values, claim.others, -factor),
    )


def _left(claim: Claim) -> float:
    """p of the two tests by which a control vanishes."""
    upper, lower = _edges(claim)
    return max(upper.below(0.0), lower.above(0.0))


def _vanishes(claim: Claim, test: Tested) -> Ruling:
    mean, p, many = test
    if mean.value == mean.error == 0:
        return Ruling("holds", "exactly zero in every world")
    if p < ALPHA:
        return Ruling("holds")
    upper, lower = _edges(claim)
    # Beside an effect of about nothing any control is large: what matters is the yardstick there.
    least = claim.share.size * claim.matters.size
    above = max(upper.above(0.0), mean.above(least))
    below = max(lower.below(0.0), mean.below(-least))
    if 2 * min(above, below) * many < ALPHA:
        part = abs(mean.value / claim.beside) if claim.beside else math.inf
        return Ruling("fails", f"{100 * part:.0f} % of the main effect is left")
    return Ruling("open", "too noisy to tell whether it vanishes")
