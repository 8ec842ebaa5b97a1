"""Verdicts, by rules that are fixed before anything runs.

A claim is one sentence with an expectation. From values per replicate v_1 .. v_n (paired
differences of worlds, slopes, ...)

    effect = mean v        interval = effect +- t(n - 1, level) sd(v) / sqrt(n)

* *sign*: holds if the 95 % interval lies on the expected side of zero. Fails if the interval at
  1 - 0.05 / m, with m claims in the finding, lies on the other side. Else open.
* *moves*: holds if the 95 % interval excludes zero. Fails if it lies within a bound that was
  declared to be negligible. Else open.
* *band*: holds if the effect lies within the band, and the interval leaves it by at most half of
  its own half-width. Fails if interval and band do not overlap. Else open. (FINDINGS asks for sign
  and overlap with published effects.)
* *exact*: holds if a number is what it should be within a tolerance (0 unless stated), else fails.
* *vanishes* (a control): holds if it is exactly zero in every replicate. Else the interval at
  1 - 0.05 / c, with c controls in the finding, must contain zero (or the control fails). It must
  also stay below half of the effect that should vanish (or it is open: too noisy to tell).

A finding is *refuted* if one of its claims or controls fails, *reproduced* if all hold, else
*inconclusive*. Claims that are marked as ``aside`` are reported and do not count.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twin.experiments import effects
from twin.experiments.findings.kit.claims import Claim, State

Verdict = Literal["reproduced", "refuted", "inconclusive"]
LEVEL = effects.LEVEL
ROOM = 0.5
"""Share of the main effect that a control's interval may reach."""
Array = NDArray[np.float64]


class Interval(NamedTuple):
    """A mean over replicates and the ends of its confidence interval."""

    effect: float
    low: float
    high: float


class Ruling(NamedTuple):
    """What a rule says of a claim, and why where that needs a word."""

    state: State
    why: str = ""


def interval(values: ArrayLike, level: float = LEVEL) -> Interval:
    """Mean of values (replicates,) and its interval. The ends are NaN for fewer than two values,
    and equal to the mean where all values are equal."""
    v = np.asarray(values, np.float64)
    # A world that failed is NaN: the claim stays open rather than rest on the other worlds.
    if not len(v) or not np.isfinite(v).all():
        return Interval(math.nan, math.nan, math.nan)
    # Values are differences already, hence zeros for the second of each pair.
    found = effects.paired(v, np.zeros_like(v), level)
    return Interval(float(found.effect), float(found.low), float(found.high))


def settled(claims: Sequence[Claim]) -> list[Claim]:
    """The claims of one finding, judged."""
    # Claims that were added later are judged at the levels of the others without changing them.
    counted = [claim for claim in claims if not claim.later]
    controls = sum(claim.control for claim in counted)
    return [_settled(claim, len(counted) - controls, controls) for claim in claims]


def _settled(claim: Claim, many: int, controls: int) -> Claim:
    """A claim with its outcome, among ``many`` claims and so many ``controls``."""
    # Controls share one error rate: with many of them, one would fail by chance alone (Bonferroni).
    level = 1 - (1 - LEVEL) / max(controls, 1) if claim.control else LEVEL
    found = interval(claim.values, level)
    # First, because one number has no interval and would be left open below.
    if claim.kind == "exact":
        found = Interval(found.effect, found.effect, found.effect)
        ruling = _exact(claim, found)
    elif not math.isfinite(found.low):
        missing = not math.isfinite(found.effect)
        ruling = Ruling("open", "a reading is missing" if missing else "one value has no interval")
    elif claim.kind == "sign":
        ruling = _sign(claim, found, many)
    elif claim.kind == "moves":
        ruling = _moves(claim, found)
    elif claim.kind == "band":
        ruling = _band(claim, found)
    else:
        ruling = _vanishes(claim, found)
    return replace(claim, **found._asdict(), **ruling._asdict())


def _exact(claim: Claim, found: Interval) -> Ruling:
    if claim.low_bound <= found.effect <= claim.high_bound:
        return Ruling("holds")
    return Ruling("fails", "another number came out")


def _sign(claim: Claim, found: Interval, many: int) -> Ruling:
    # A sign of -1 swaps the two ends, so min and max serve both directions.
    if min(found.low * claim.sign, found.high * claim.sign) > 0:
        return Ruling("holds")
    # To fail takes more than not to hold: among many claims some have the wrong sign by chance.
    _, far_low, far_high = interval(claim.values, 1 - (1 - LEVEL) / many)
    if max(far_low * claim.sign, far_high * claim.sign) < 0:
        return Ruling("fails", "it has the other sign")
    if max(found.low * claim.sign, found.high * claim.sign) < 0:
        return Ruling("open", "the other sign, but not at the level of all claims together")
    return Ruling("open", "the interval holds zero")


def _moves(claim: Claim, found: Interval) -> Ruling:
    if found.low > 0 or found.high < 0:
        return Ruling("holds")
    if claim.low_bound <= found.low <= found.high <= claim.high_bound:
        return Ruling("fails", "next to nothing")
    return Ruling("open", "the interval holds zero")


def _band(claim: Claim, found: Interval) -> Ruling:
    if found.high < claim.low_bound or found.low > claim.high_bound:
        return Ruling("fails", "interval and band are apart")
    inside = claim.low_bound <= found.effect <= claim.high_bound
    over = max(claim.low_bound - found.low, found.high - claim.high_bound, 0.0)
    # Half of the half-width is a quarter of the whole.
    if inside and over <= (found.high - found.low) / 4:
        return Ruling("holds")
    return Ruling("open", "the interval reaches beyond the band")


def _vanishes(claim: Claim, found: Interval) -> Ruling:
    if found.low == found.high == 0:
        return Ruling("holds", "exactly zero in every world")
    if found.low > 0 or found.high < 0:
        return Ruling("fails", "the control does not vanish")
    # A control that is merely noisy proves nothing: its interval must be narrow beside the effect.
    reached = max(-found.low, found.high)
    if not math.isfinite(claim.beside) or reached > ROOM * abs(claim.beside):
        return Ruling("open", "zero is held, but the interval reaches half of the effect and more")
    return Ruling("holds")


def verdict(claims: Sequence[Claim]) -> Verdict:
    """Of settled claims of a finding."""
    states = {claim.state for claim in claims if not claim.aside}
    if "fails" in states:
        return "refuted"
    # Without any claim that counts a finding is inconclusive too.
    return "reproduced" if states == {"holds"} else "inconclusive"


def slope(doses: ArrayLike, values: ArrayLike) -> Array:
    """Least-squares slopes over standardised doses: (doses,), (doses, replicates) ->
    (replicates,)."""
    x = np.asarray(doses, np.float64)
    x = (x - x.mean()) / x.std()
    y = np.asarray(values, np.float64)
    # Less the first value, so that an outcome that does not move has slope zero to the bit.
    return np.asarray(x @ (y - y[0]) / len(x), np.float64)
