"""Outcomes read off one world: which groups a reading compares, whether a scenario has what it
needs, and the effect on the scale of its form.

A reading by arm is of a policy for a share, by its number (1 for the first), and perhaps within a
stratum that another such policy makes: ``treated-1``, ``control-2-within-1``,
``control-2-alone``; a twin that reads one policy alone calls the groups ``treated`` and
``control``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

from twin.experiments.forecasts import expressions
from twin.experiments.forecasts.declare import Form, Reading
from twin.experiments.forecasts.expressions import Declared, Formula, Series
from twin.experiments.forecasts.quantities import QUANTITIES, Quantity
from twin.world import arms


def groups(reading: Reading, treated: bool) -> tuple[str, ...]:
    """Names that the group of a reading may have in the label ``arm``, the best first."""
    if not reading.arms:
        return ()
    name = arms.group(reading.policy, treated, reading.stratum.removeprefix("within-"))
    return (name,) if reading.stratum else (name, "treated" if treated else "control")


@dataclass(frozen=True)
class Pair:
    """Values of a quantity in both arms, and the sd of the control group (NaN if not asked for)."""

    treated: float
    control: float
    spread: float = field(default=math.nan)


@cache
def _formula(text: str) -> Formula:
    return expressions.parse(text)


def _texts(quantity: Quantity, reading: Reading) -> tuple[str, str]:
    """The formulas of the value and of its sd."""
    if reading.arms:
        return quantity.arm, quantity.spread_arm
    return quantity.whole, quantity.spread_whole


def standardised(form: Form) -> bool:
    """Whether an effect is divided by an sd."""
    return form in ("sd", "size")


def lacking(reading: Reading, form: Form, known: Declared) -> list[str]:
    """Why a reading is not available in a scenario with these series; empty if it is."""
    found: list[str] = []
    for name in filter(None, (*reading.parts, reading.against)):
        value, sd = _texts(QUANTITIES[name], reading)
        for formula, what in ((value, "reading"), (sd, "sd")):
            if what == "sd" and not standardised(form):
                continue
            if not formula:
                found.append(f"{name} has no {what} {'by arm' if reading.arms else 'of a world'}")
                continue
            for treated in (True, False):
                found += expressions.missing(_formula(formula), known, groups(reading, treated))
    return list(dict.fromkeys(found))


def series(known: Declared) -> list[int]:
    """Places of all series that any registered reading could name: what results keep."""
    asked = [
        Reading("", "", "", arms=True, policy=policy, stratum=stratum)
        for policy in (1, 2)
        for stratum in ("", "alone", "within-1")
    ]
    named = [(), *(groups(each, treated) for each in asked for treated in (True, False))]
    found: set[int] = set()
    for quantity in QUANTITIES.values():
        for text in (quantity.arm, quantity.whole, quantity.spread_arm, quantity.spread_whole):
            for each in _formula(text).series if text else ():
                for names in named:
                    found |= set(expressions.places(each, known, names))
    return sorted(found)


Read = Callable[[str, Series, tuple[str, ...]], float]
"""Value of a series in a branch (its name), for a group by its possible names or none."""


def effects(reading: Reading, form: Form, read: Read) -> float:
    """The outcome in one world, on the scale of its form and with its sign: of an index, the mean
    of its parts. NaN where it is not defined."""
    return sum(effect(form, pair(part, reading, form, read)) for part in reading.parts) / len(
        reading.parts
    )


def pair(name: str, reading: Reading, form: Form, read: Read) -> Pair:
    """Treated and control values of one quantity of a reading."""
    own, other = QUANTITIES[name], QUANTITIES[reading.against or name]

    def value(quantity: Quantity, branch: str, treated: bool, sd: bool = False) -> float:
        formula = _formula(_texts(quantity, reading)[sd])
        names = groups(reading, treated)
        return expressions.value(formula, lambda series: read(branch, series, names))

    # where the policy stands for control, its people are the control group
    policy = not reading.flipped
    return Pair(
        value(own, reading.treated, policy),
        value(other, reading.control, not policy),
        value(other, reading.control, not policy, sd=True) if standardised(form) else math.nan,
    )


def effect(form: Form, found: Pair) -> float:
    """The outcome on the scale of its form, with its sign; NaN where it is not defined."""
    treated, control = found.treated, found.control
    if form == "level":
        return treated
    if form == "pt":
        return 100 * (treated - control)
    if form == "rel":
        return math.log(treated / control) if treated > 0 and control > 0 else math.nan
    return (treated - control) / found.spread if found.spread > 0 else math.nan
