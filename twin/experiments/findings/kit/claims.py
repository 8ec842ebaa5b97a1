"""Claims: a sentence about a finding, what is expected of it, and by which rule it is judged.

There is one function for each kind of rule; `twin.experiments.findings.kit.judging` states the
rules and applies them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

Kind = Literal["sign", "moves", "band", "exact", "vanishes"]
State = Literal["holds", "fails", "open"]


@dataclass(frozen=True)
class Claim:
    """A sentence, what is expected of it and by which source, and the outcome.

    ``values`` are one number per replicate, in ``unit``. ``sign`` is the expected direction (+1,
    -1; 0: none), ``low_bound`` and ``high_bound`` the interval that the rule refers to, ``beside``
    the size of the effect that a control belongs to. The last five fields are set by judging.
    """

    says: str
    kind: Kind
    expected: str
    values: tuple[float, ...]
    sign: int = 0
    low_bound: float = -math.inf
    high_bound: float = math.inf
    beside: float = math.nan
    aside: bool = False
    """Reported, not counted."""
    later: bool = False
    """Added after the results were seen, see `afterwards`."""
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
        says=says,
        kind="sign",
        expected=f"{'above' if expected > 0 else 'below'} zero ({source})",
        values=_values(values),
        sign=expected,
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
        says=says,
        kind="moves",
        expected=f"other than zero ({source})",
        values=_values(values),
        low_bound=-nothing,
        high_bound=nothing,
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
        says=says,
        kind="band",
        expected=f"{low:.4g} to {high:.4g} ({source})",
        values=_values(values),
        low_bound=low,
        high_bound=high,
        aside=aside,
        unit=unit,
    )


def left_out(says: str, source: str) -> Claim:
    """A note that something could not be asked because its data are missing: never counted."""
    # Without values it stays open, and aside keeps it out of the verdict.
    return band(says, [], 0, 0, source, aside=True)


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
    """A number is what it should be, to a tolerance ``within``."""
    # The text is part of the results, so a changed tolerance shows in them.
    around = f" within {within:.3g}" if within else " exactly"
    return Claim(
        says=says,
        kind="exact",
        expected=f"{want:.7g}{around} ({source})",
        values=(float(got),),
        low_bound=want - within,
        high_bound=want + within,
        aside=aside,
        unit=unit,
    )


def vanishes(
    says: str, values: ArrayLike, beside: ArrayLike, *, aside: bool = False, unit: str = "1"
) -> Claim:
    """A control: the mean of the values (replicates,) is zero; ``beside`` holds the values of the
    effect that should vanish here."""
    return Claim(
        says=says,
        kind="vanishes",
        expected="zero (control)",
        values=_values(values),
        # A yardstick for the width of the control's interval, so its mean is enough.
        beside=float(np.mean(np.asarray(beside, np.float64))),
        aside=aside,
        unit=unit,
    )


def afterwards(claim: Claim) -> Claim:
    """A claim that was added after the results were seen, to explain one: reported, not counted,
    and without influence on the intervals of the others."""
    return replace(
        claim, says=f"{claim.says} (added afterwards, not counted)", aside=True, later=True
    )
