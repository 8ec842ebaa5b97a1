"""Verdicts, by rules that are fixed before anything runs.

A claim is one sentence with an expectation. From values per replicate v_1 .. v_n (differences of
worlds that share their luck, slopes, ...)

    effect = mean v        interval = effect +- t(n - 1, level) sd(v) / sqrt(n)

* *sign*: holds if the 95 % interval lies on the expected side of zero; fails if the interval at 1 -
  .05 / m, m claims of the finding, lies on the other side; else open.
* *moves*: holds if the 95 % interval does not hold zero; fails if it lies within a bound that is
  stated to be nothing; else open.
* *band*: holds if the interval lies within the band, or the point does and the interval does not
  leave it by more than its own half; fails if interval and band are apart; else open. (Of published
  effects: sign and overlap, as FINDINGS asks.)
* *exact*: holds if a number is what it should be within a tolerance (0 unless said); else it fails.
* *vanishes* (a control): exactly zero in every replicate holds. Else the interval at 1 - .05 / c, c
  controls of the finding, must hold zero (or the control fails) and must not reach half of the
  effect that it is a control of (or it is open: too noisy to say).

A finding is *refuted* if one of its claims or controls fails, *reproduced* if all hold, else
*inconclusive*. Claims that are marked as ``aside`` are reported and do not count.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twin.experiments import effects

Kind = Literal["sign", "moves", "band", "exact", "vanishes"]
State = Literal["holds", "fails", "open"]
Verdict = Literal["reproduced", "refuted", "inconclusive"]
LEVEL = effects.LEVEL
ROOM = 0.5
"""Share of the main effect that a control's interval may reach."""
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Claim:
    """A sentence, what is expected of it and by which source, and what came out."""

    says: str
    kind: Kind
    expected: str
    values: tuple[float, ...]
    sign: int = 0
    low_bound: float = -math.inf
    high_bound: float = math.inf
    beside: float = math.nan
    aside: bool = False
    later: bool = False
    """Thought of after the results were seen, see `afterwards`."""
    unit: str = "1"
    part: str = ""
    effect: float = math.nan
    low: float = math.nan
    high: float = math.nan
    state: State = "open"
    why: str = ""

    @property
    def n(self) -> int:
        """How many values."""
        return len(self.values)

    @property
    def control(self) -> bool:
        """Whether an effect has to vanish here."""
        return self.kind == "vanishes"


def _values(values: ArrayLike) -> tuple[float, ...]:
    return tuple(float(value) for value in np.ravel(np.asarray(values, np.float64)))


def sign(
    says: str,
    values: ArrayLike,
    expected: int,
    source: str,
    *,
    aside: bool = False,
    unit: str = "1",
) -> Claim:
    """The mean of the values (replicates,) lies above (``expected`` +1) or below zero (-1)."""
    return Claim(
        says,
        "sign",
        f"{'above' if expected > 0 else 'below'} zero ({source})",
        _values(values),
        expected,
        aside=aside,
        unit=unit,
    )


def moves(
    says: str,
    values: ArrayLike,
    nothing: float,
    source: str,
    *,
    aside: bool = False,
    unit: str = "1",
) -> Claim:
    """The mean of the values (replicates,) is not zero, in whichever direction; within
    +-``nothing`` it counts as zero."""
    return Claim(
        says,
        "moves",
        f"other than zero ({source})",
        _values(values),
        0,
        -nothing,
        nothing,
        aside=aside,
        unit=unit,
    )


def band(
    says: str,
    values: ArrayLike,
    low: float,
    high: float,
    source: str,
    *,
    aside: bool = False,
    unit: str = "1",
) -> Claim:
    """The mean of the values (replicates,) lies between two bounds."""
    return Claim(
        says,
        "band",
        f"{low:.4g} to {high:.4g} ({source})",
        _values(values),
        0,
        low,
        high,
        aside=aside,
        unit=unit,
    )


def exact(
    says: str,
    got: float,
    want: float,
    source: str,
    *,
    within: float = 0.0,
    aside: bool = False,
    unit: str = "1",
) -> Claim:
    """A number is what it should be."""
    around = f" within {within:.3g}" if within else " exactly"
    return Claim(
        says,
        "exact",
        f"{want:.7g}{around} ({source})",
        (float(got),),
        0,
        want - within,
        want + within,
        aside=aside,
        unit=unit,
    )


def vanishes(
    says: str, values: ArrayLike, beside: ArrayLike, *, aside: bool = False, unit: str = "1"
) -> Claim:
    """A control: the mean of the values (replicates,) is zero; ``beside`` are those of the effect
    that it is a control of."""
    return Claim(
        says,
        "vanishes",
        "zero (control)",
        _values(values),
        beside=float(np.mean(np.asarray(beside, np.float64))),
        aside=aside,
        unit=unit,
    )


def afterwards(claim: Claim) -> Claim:
    """A claim that was added after the results were seen, to explain one: an aside that does not
    widen the intervals of the others."""
    return replace(
        claim, says=f"{claim.says} (added afterwards, not counted)", aside=True, later=True
    )


def interval(values: ArrayLike, level: float = LEVEL) -> tuple[float, float, float]:
    """Mean and ends of its interval; NaN ends for fewer than two values, no width where all are
    equal."""
    v = np.asarray(values, np.float64)
    if not len(v) or not np.isfinite(v).all():
        return math.nan, math.nan, math.nan
    found = effects.paired(v, np.zeros_like(v), level)
    return float(found.effect), float(found.low), float(found.high)


def settled(claims: Sequence[Claim]) -> list[Claim]:
    """Claims of one finding with what came out of each."""
    counted = [claim for claim in claims if not claim.later]
    controls = sum(claim.control for claim in counted)
    return [_settled(claim, len(counted) - controls, controls) for claim in claims]


def _settled(claim: Claim, many: int, controls: int) -> Claim:
    level = 1 - (1 - LEVEL) / max(controls, 1) if claim.control else LEVEL
    effect, low, high = interval(claim.values, level)
    if claim.kind == "exact":
        good = claim.low_bound <= effect <= claim.high_bound
        return replace(
            claim,
            effect=effect,
            low=effect,
            high=effect,
            state="holds" if good else "fails",
            why="" if good else "another number came out",
        )
    state, why = _state(claim, effect, low, high, many)
    return replace(claim, effect=effect, low=low, high=high, state=state, why=why)


def _state(claim: Claim, effect: float, low: float, high: float, many: int) -> tuple[State, str]:
    if not math.isfinite(low):
        return "open", "a reading is missing" if not math.isfinite(
            effect
        ) else "one value has no interval"
    if claim.kind == "sign":
        if min(low * claim.sign, high * claim.sign) > 0:
            return "holds", ""
        _, far_low, far_high = interval(claim.values, 1 - (1 - LEVEL) / many)
        if max(far_low * claim.sign, far_high * claim.sign) < 0:
            return "fails", "it has the other sign"
        wrong = max(low * claim.sign, high * claim.sign) < 0
        return (
            "open",
            "the other sign, but not at the level of all claims together"
            if wrong
            else "the interval holds zero",
        )
    if claim.kind == "moves":
        if low > 0 or high < 0:
            return "holds", ""
        return (
            ("fails", "next to nothing")
            if claim.low_bound <= low <= high <= claim.high_bound
            else ("open", "the interval holds zero")
        )
    if claim.kind == "band":
        if high < claim.low_bound or low > claim.high_bound:
            return "fails", "interval and band are apart"
        inside = claim.low_bound <= effect <= claim.high_bound
        over = max(claim.low_bound - low, high - claim.high_bound, 0.0)
        return (
            ("holds", "")
            if inside and over <= (high - low) / 4
            else ("open", "the interval reaches beyond the band")
        )
    if low == high == 0:
        return "holds", "exactly zero in every world"
    if low > 0 or high < 0:
        return "fails", "the control does not vanish"
    if not math.isfinite(claim.beside) or max(-low, high) > ROOM * abs(claim.beside):
        return "open", "zero is held, but the interval reaches half of the effect and more"
    return "holds", ""


def verdict(claims: Sequence[Claim]) -> Verdict:
    """Of settled claims of a finding."""
    states = {claim.state for claim in claims if not claim.aside}
    if "fails" in states:
        return "refuted"
    return "reproduced" if states == {"holds"} else "inconclusive"


def slope(doses: ArrayLike, values: ArrayLike) -> Array:
    """Least-squares slopes over standardised doses: (doses,), (doses, replicates) ->
    (replicates,)."""
    x = np.asarray(doses, np.float64)
    x = (x - x.mean()) / x.std()
    y = np.asarray(values, np.float64)
    return np.asarray(
        x @ (y - y[0]) / len(x), np.float64
    )  # less the first, so that what does not move has slope zero to the bit
