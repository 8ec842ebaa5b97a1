"""Claims: a sentence about a finding, what is expected of it, and by which rule it is judged.

There is one function for each kind of rule; `twin.experiments.findings.kit.judging` states the
rules and applies them. Every claim states the smallest effect that matters, with the reason for it.
A *primary* claim decides the verdict of its finding (`twin.experiments.findings.kit.verdicts`). The
others are secondary, or reported only (``aside``). A *control* belongs to a claim.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

Kind = Literal["sign", "moves", "band", "exact", "vanishes", "related"]
State = Literal["holds", "null", "fails", "open"]
Role = Literal["primary", "control", "secondary", "reported"]


class Matters(NamedTuple):
    """The smallest effect of interest: its size in the unit of the claim, and why it is that."""

    size: float
    why: str


UNSTATED = Matters(math.nan, "")
SHARE = Matters(0.15, "the rule of all findings")
"""Share of the main effect within which a control counts as vanished."""


@dataclass(frozen=True)
class Claim:
    """A sentence, what is expected of it and by which source, and the outcome.

    ``values`` are one number per replicate, in ``unit``. ``sign`` is the expected direction (+1,
    -1; 0: none), ``low_bound`` and ``high_bound`` the interval that the rule refers to. ``matters``
    is the smallest effect of interest. For a control ``of`` is what the claim that it belongs to
    says, ``others`` are the values of that claim's effect, and ``share`` is how much of it may be
    left. For a correlation ``others`` is the second series. The fields from ``part`` on are set by
    the command and by judging.
    """

    says: str
    kind: Kind
    expected: str
    values: tuple[float, ...]
    sign: int = 0
    low_bound: float = -math.inf
    high_bound: float = math.inf
    matters: Matters = UNSTATED
    primary: bool = False
    of: str = ""
    others: tuple[float, ...] = ()
    share: Matters = SHARE
    aside: bool = False
    """Reported, not counted."""
    later: bool = False
    """Added after the results were seen, see `afterwards`."""
    unit: str = "1"
    part: str = ""
    effect: float = math.nan
    low: float = math.nan
    high: float = math.nan
    p: float = math.nan
    """Of the test by which it may hold; of a secondary claim corrected for their number."""
    state: State = "open"
    why: str = ""

    @property
    def n(self) -> int:
        """How many values."""
        return len(self.values)

    @property
    def control(self) -> bool:
        """Whether it is the control of a claim."""
        return bool(self.of)

    @property
    def role(self) -> Role:
        """What it does for the verdict."""
        if self.aside:
            return "reported"
        return "control" if self.control else "primary" if self.primary else "secondary"

    @property
    def beside(self) -> float:
        """Mean of the effect that a control belongs to; NaN for other claims."""
        known = self.control and self.others
        return float(np.mean(self.others)) if known else math.nan

    @property
    def margin(self) -> float:
        """What a control may be away from zero; for other claims the smallest effect of
        interest."""
        return self.share.size * abs(self.beside) if self.kind == "vanishes" else self.matters.size


def _values(values: ArrayLike) -> tuple[float, ...]:
    return tuple(float(value) for value in np.ravel(np.asarray(values, np.float64)))


def _stated(says: str, matters: Matters) -> Matters:
    """``matters`` itself. Raises ValueError where it states no size or no reason."""
    if not (matters.size > 0 and matters.why):
        raise ValueError(f"no smallest effect of interest with its reason: {says}")
    return matters


def sign(
    says: str,
    values: ArrayLike,
    expected: int,
    source: str,
    *,
    matters: Matters,
    primary: bool = False,
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
        matters=_stated(says, matters),
        primary=primary,
        aside=aside,
        unit=unit,
    )


def moves(
    says: str,
    values: ArrayLike,
    source: str,
    *,
    matters: Matters,
    aside: bool = False,
    unit: str = "1",
) -> Claim:
    """The mean of the values (replicates,) is not zero, in whichever direction."""
    return Claim(
        says=says,
        kind="moves",
        expected=f"other than zero ({source})",
        values=_values(values),
        matters=_stated(says, matters),
        aside=aside,
        unit=unit,
    )


def band(
    says: str,
    values: ArrayLike,
    bounds: tuple[float, float],
    source: str,
    *,
    matters: Matters = UNSTATED,
    aside: bool = False,
    unit: str = "1",
) -> Claim:
    """The mean of the values (replicates,) lies between two bounds. These are its smallest effect
    of interest, unless ``matters`` says what would count as no effect."""
    low, high = bounds
    return Claim(
        says=says,
        kind="band",
        expected=f"{low:.4g} to {high:.4g} ({source})",
        values=_values(values),
        low_bound=low,
        high_bound=high,
        matters=matters,
        aside=aside,
        unit=unit,
    )


def left_out(says: str, source: str) -> Claim:
    """A note that something could not be asked because its data are missing: never counted."""
    # Without values it stays open, and aside keeps it out of the verdict.
    return band(says, [], (0, 0), source, aside=True)


def exact(
    says: str,
    got: float,
    want: float,
    source: str,
    *,
    within: float = 0.0,
    of: Claim | None = None,
    unit: str = "1",
) -> Claim:
    """A number is what it should be, to a tolerance ``within``; with ``of`` it is a control of that
    claim."""
    # The text is part of the results, so a changed tolerance shows in them.
    around = f" within {within:.3g}" if within else " exactly"
    return Claim(
        says=says,
        kind="exact",
        expected=f"{want:.7g}{around} ({source})",
        values=(float(got),),
        low_bound=want - within,
        high_bound=want + within,
        matters=Matters(within, "its tolerance"),
        of=of.says if of else "",
        aside=of.aside if of else False,
        unit=unit,
    )


def related(
    says: str,
    x: Sequence[float],
    y: Sequence[float],
    source: str,
    *,
    matters: Matters,
    primary: bool = False,
) -> Claim:
    """Two series (n,) go together: their rank correlation is above zero."""
    return Claim(
        says=says,
        kind="related",
        expected=f"above zero ({source})",
        values=_values(x),
        sign=1,
        matters=_stated(says, matters),
        primary=primary,
        others=_values(y),
    )


def vanishes(
    says: str,
    values: ArrayLike,
    main: Claim,
    *,
    beside: ArrayLike | None = None,
    matters: Matters | None = None,
    share: Matters = SHARE,
    aside: bool = False,
) -> Claim:
    """A control of the claim ``main``: the mean of the values (replicates,) is zero, to a ``share``
    of the effect that should vanish here.

    The effect is that of ``main``; ``beside`` gives it where the control is measured in another way
    (the largest dose instead of a slope), and ``matters`` what would matter there. Values are
    paired with it if there are as many.
    """
    return Claim(
        says=says,
        kind="vanishes",
        expected=f"zero, to {100 * share.size:g} % of the main effect (control)",
        values=_values(values),
        matters=matters or main.matters,
        of=main.says,
        others=main.values if beside is None else _values(beside),
        share=_stated(says, share),
        # A control of what is only reported cannot decide anything.
        aside=aside or main.aside,
        unit=main.unit,
    )


def afterwards(claim: Claim) -> Claim:
    """A claim that was added after the results were seen, to explain one: reported, not counted,
    and without influence on the intervals of the others."""
    return replace(
        claim, says=f"{claim.says} (added afterwards, not counted)", aside=True, later=True
    )
