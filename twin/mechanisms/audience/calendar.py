"""On which days people come: a calendar from outside, such as a week's shape and holidays.

A day d has the weight w(d) = week(weekday of d) x factor of a holiday, week with mean 1; days are
local, since a person's Saturday is not that of UTC. A person with the daily chance h comes on it
with the chance

    1 - (1 - h)^w(d)

(proportional hazards: `twin.kernels.visits.days_until` runs the wait for the next visit down by the
weights). Every day is decided anew, so a busy Saturday leaves no gap on Sunday. But who comes
nearly daily can hardly come more: of people with h ~ Beta(a, b) the share

    f(w) = 1 - B(a, b + w) / B(a, b)

comes, so the busy days of a platform of daily visitors stand out by less than their weight.
`profile` is the shape that days then have; `weights` turns it round, for a shape that was observed.
Newcomers come in proportion to the weight of the UTC day. A calendar moves who comes; what they
then do, and whether they come again on the same day, it leaves alone.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Sequence
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, WithJsonSchema, model_validator
from scipy.special import betaln

from twin.ground.rhythm import cumulated
from twin.world.params import Params, par

Array = NDArray[np.float64]
DAYS = 3660
"""Days that the calendar covers, those beyond are alike: it is read at every visit."""
MOST = 100.0
"""The largest factor."""
STEPS, CLOSE = 400, 1e-9
"""Most steps of `weights`, and the error at which it stops; where most people come daily each step
is short."""
_WRITTEN = re.compile(r"(?P<first>[\d-]+?)(\.\.(?P<last>[\d-]+))?(=(?P<factor>[-+.\w]+))?")
_DATE = r"\d{4}-\d{2}-\d{2}"


def _date(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text} is not a date (write it as 2025-12-25)") from None


def parsed(text: str) -> tuple[dt.date, dt.date, float | None]:
    """First and last day of a holiday, and its own factor if it has one. Raises ValueError with
    what is wrong."""
    found = _WRITTEN.fullmatch(text)
    if found is None:
        raise ValueError(
            f"{text} is not a date (write it as 2025-12-25, several days as "
            f"2025-12-24..2025-12-26, a factor of its own as 2025-12-25=0.5)"
        )
    first = _date(found["first"])
    last = _date(found["last"]) if found["last"] else first
    if last < first:
        raise ValueError(f"{text} ends before it begins; write {last}..{first}")
    if found["factor"] is None:
        return first, last, None
    try:
        factor = float(found["factor"])
    except ValueError:
        raise ValueError(f"{found['factor']} is not a number; write {first}=0.5") from None
    if not 0 <= factor <= MOST:
        raise ValueError(f"{found['factor']} is out of range; between 0 and {MOST:g}")
    return first, last, factor


def _internal_holiday(value: object) -> str:
    parsed(str(value))
    return str(value)


Holiday = Annotated[
    str,
    BeforeValidator(_internal_holiday),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": rf"^{_DATE}(\.\.{_DATE})?(=\d+(\.\d+)?)?$",
            "examples": ["2025-12-25", "2025-12-24..2025-12-26", "2025-12-31=0.5"],
        }
    ),
]
"""A day or several, ``2025-12-24..2025-12-26``, perhaps with a factor of its own:
``2025-12-25=0.5``."""


class Calendar(Params):
    """Which days people come; all alike by default."""

    week: tuple[float, ...] = par(
        (1.0,) * 7,
        "how much likelier people are to come on each local day, Monday first (of a mean of 1)",
        source="assumption; fitted from a log by twin calibrate --calendar",
    )
    holidays: tuple[Holiday, ...] = par(
        (),
        "holidays: a date, several as FIRST..LAST, with a factor of their own as DATE=0.5; the "
        "last that names a day decides",
        unit="date",
    )
    holiday: float = par(
        1.0, "factor on the holidays that have none of their own", low=0, high=MOST
    )

    @model_validator(mode="after")
    def _whole_week(self) -> Calendar:
        if len(self.week) != 7 or min(self.week) < 0 or sum(self.week) <= 0:
            raise ValueError(
                "week must be seven numbers, Monday first, none below 0, and not all 0"
            )
        return self


def days(calendar: Calendar, start: dt.date) -> Array:
    """Cumulated weights of local days, that before the world began first; empty where all are
    alike."""
    # Mean 1: over a whole week, a wait runs down as it does without a calendar
    week = np.array(calendar.week) * 7 / sum(calendar.week)
    # A day earlier: west of UTC the world begins on the local day before
    begin = start - dt.timedelta(days=1)
    factor = np.ones(DAYS)
    for text in calendar.holidays:
        first, last, own = parsed(text)
        # Holidays before the world or beyond the calendar change nothing
        at, end = max((first - begin).days, 0), max((last - begin).days + 1, 0)
        factor[at:end] = calendar.holiday if own is None else own
    # An empty calendar takes the kernel's short way: every day weighs 1
    if np.ptp(week) == 0 and (factor == 1).all():
        return np.zeros(0)
    return np.cumsum(week[(begin.weekday() + np.arange(DAYS)) % 7] * factor)


def weight(known: Array, day: int) -> float:
    """Weight of a day of the world, from `days`; 1 without a calendar or beyond it."""
    return float(known[day + 1] - known[day]) if day + 1 < len(known) else 1.0


def first_days(known: Array, wait: Array, day: NDArray[np.int64]) -> NDArray[np.int64]:
    """Days after local ``day`` (n,) that a first visit falls on, where ``wait`` (n,) of days of
    weight 1 is left at its beginning: what `twin.kernels.visits.days_until` says of a later one."""
    if not len(known):
        return np.floor(wait).astype(np.int64)
    # Of the day before, whose end is the beginning of this one; before the calendar there is none
    passed = np.where(day >= 0, known[np.maximum(day, 0)], 0.0)
    found = np.searchsorted(known, passed + wait, side="right")
    # Days beyond the calendar weigh 1
    beyond = np.maximum(passed + wait - known[-1], 0.0)
    after = np.where(found < len(known), 0, np.floor(beyond)).astype(np.int64)
    made: NDArray[np.int64] = found - 1 - day + after
    return made


def coming(weights: Array, a: float, b: float) -> Array:
    """Share of people with daily chances ~ Beta(a, b) who come on days of these weights."""
    share: Array = -np.expm1(betaln(a, b + weights) - betaln(a, b))
    return share


def profile(
    week: Sequence[float] | Array,
    a: float,
    b: float,
    zones: Sequence[int] = (0,),
    hours: Sequence[float] = (1.0,) * 24,
) -> Array:
    """Shape of the week, by UTC day, (7,) of mean 1, that a calendar's ``week`` brings about.

    ``zones`` (h) are those of people, equally many, and ``hours`` when in the local day they come:
    part of a local day lies in the UTC day before or after. At the reference satisfaction.
    """
    given = np.asarray(week, float)
    made = _seen(zones, hours) @ coming(given * 7 / given.sum(), a, b)
    shape: Array = made * 7 / made.sum()
    return shape


def _seen(zones: Sequence[int], hours: Sequence[float]) -> Array:
    """Share of the visits of each local day (columns) that fall on each UTC day (7, 7), by
    weekday."""
    share, made = cumulated(hours), np.zeros((7, 7))
    for zone in zones:
        # East of UTC the first hours of the local day, west of it the last ones are another day's
        before = share[zone] if zone > 0 else 0.0
        after = 1 - share[24 + zone] if zone < 0 else 0.0
        made += (1 - before - after) * np.eye(7)
        made += before * np.roll(np.eye(7), -1, 0) + after * np.roll(np.eye(7), 1, 0)
    return made / len(zones)


def weights(
    shape: Sequence[float] | Array,
    a: float,
    b: float,
    zones: Sequence[int] = (0,),
    hours: Sequence[float] = (1.0,) * 24,
) -> Array:
    """The calendar's ``week`` (7,), mean 1, whose `profile` is ``shape`` (7,), or comes near to it
    where no calendar has that shape. Raises ValueError for a shape that is none."""
    target = np.asarray(shape, float)
    if target.shape != (7,) or not np.isfinite(target).all() or (target <= 0).any():
        raise ValueError("a shape is seven numbers above 0")
    target = target * 7 / target.sum()
    week, seen = target.copy(), _seen(zones, hours)
    for _ in range(STEPS):
        made = seen @ coming(week, a, b)
        # The profile rises with every weight, by less than it: each step goes part of the way
        step = target / (made * 7 / made.sum())
        week = np.clip(week * step, 1e-3, MOST)
        week *= 7 / math.fsum(week)
        if abs(step - 1).max() < CLOSE:
            break
    found: Array = week
    return found
