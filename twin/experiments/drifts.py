"""Does a series drift? Its change, slope and time to settle, from daily means of replicates.

With y_r(d) the mean over day d of a series in replicate r, a_r its mean over days 1 to 30 and b_r
over the last 30,

    change = mean over r of (b_r - a_r) / |mean over r of a_r|
             interval: +- t(n - 1) sd(b_r - a_r) / sqrt n, on the same scale
    slope  = mean over r of the least-squares slope of y_r, per 30 days, its interval likewise

Days of one run are not independent, runs are: so intervals come from replicates alone (independent
replications: Law, Simulation Modeling and Analysis, 5th ed. 2015, section 9.5.2), and no
autocorrelation has to be modelled. The verdict is

    at rest     the whole interval of the change lies within +- TOLERANCE (an equivalence test:
                Schuirmann 1987)
    drifts      the interval excludes 0 and the change is larger than TOLERANCE
    unclear     neither: not distinguishable from rest, nor shown to be at rest; more replicates
                decide

Truncation: MSER-5 (White, Simulation 69:323, 1997; White, Cobb & Spratt, WSC 2000). With z_1 .. z_m
the means of m batches of five days (of the mean over replicates), cut the first k batches that

    k* = argmin over k of  sum over i > k of (z_i - mean of z_(k+1) .. z_m)^2 / (m - k)^2

with LEFT batches left at least (fewer can be alike by chance: Hoad, Robinson & Davies, J. Oper.
Res. Soc. 61:69, 2010); where k* lies beyond half of the series, it has not settled in these days.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.experiments import effects

Floats = NDArray[np.float64]
WINDOW = 30
"""Days of the first and of the last window."""
TOLERANCE = 0.05
"""The largest change that counts as rest, as a share of the first window's mean."""
BATCH, LEFT = 5, 5
"""Days of a batch of MSER-5, and fewest batches that it leaves."""


class Estimate(NamedTuple):
    """A mean over replicates with its 95 % interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Drift:
    """What one headline series does: means, change (a share) and slope (per 30 days), each with its
    interval; ``settles`` in days."""

    name: str
    unit: str
    first: float
    last: float
    change: Estimate
    slope: Estimate
    settles: int | None
    per_person: Estimate | None = None
    """The change per active person, of what grows with the people."""
    settles_per_person: int | None = None
    heads: str = "active people"
    """Who these persons are."""
    why: str = ""
    """Why it moves whatever the feed does, as declared; empty for what should be at rest."""

    @property
    def explained(self) -> bool:
        """Whether it drifts only as the number of heads behind it does."""
        return (
            self.per_person is not None
            and _verdict(self.change) == "drifts"
            and _verdict(self.per_person) != "drifts"
        )

    @property
    def verdict(self) -> str:
        """``at rest``, ``drifts``, ``unclear``; ``follows`` where the number of heads explains it,
        ``moves`` where its declaration does."""
        if self.explained:
            return "follows"
        found = _verdict(self.change)
        return "moves" if self.why and found == "drifts" else found


def _verdict(change: Estimate) -> str:
    _, low, high = change
    # rest first: a change that is surely not zero, but within the tolerance, is still rest
    if low >= -TOLERANCE and high <= TOLERANCE:
        return "at rest"
    return "drifts" if (low > 0 or high < 0) and abs(change.mean) > TOLERANCE else "unclear"


def mser(values: Floats, batch: int = BATCH) -> int | None:
    """How many observations MSER cuts off the begin of a series; None where its least lies beyond
    the half, so that it has not settled.

    ``values`` float64 (n,), equally spaced; what is left of the last batch does not count.
    """
    count = len(values) // batch
    # a single batch cannot show that anything has settled
    if count < 2:
        return None
    z = np.asarray(values[: count * batch], float).reshape(count, batch).mean(1)
    # the sum of the docstring for every cut k that leaves LEFT batches
    score = [
        ((z[k:] - z[k:].mean()) ** 2).sum() / (count - k) ** 2
        for k in range(max(count - LEFT + 1, 1))
    ]
    best = int(np.argmin(score))
    return best * batch if best <= count // 2 else None


def slopes(days: Floats) -> Floats:
    """Least-squares slope per day of each row: (replicates, days) -> (replicates,)."""
    # centred on the middle day, so that the slope is y @ t / t @ t
    t = np.arange(days.shape[1]) - (days.shape[1] - 1) / 2
    return np.asarray(days @ t / (t @ t), np.float64)


def _estimate(values: Floats, scale: float) -> Estimate:
    """Mean of one number per replicate and its interval, in units of ``scale``; infinite where that
    is zero and the number is not."""
    # paired with zeros: the difference is the number itself
    made = effects.paired(values[:, None], np.zeros((len(values), 1)))
    ends = [float(each[0]) for each in (made.effect, made.low, made.high)]
    if scale:
        return Estimate(*(end / scale for end in ends))
    # a change from nothing has a sign, but no size in percent
    return Estimate(*(math.copysign(math.inf, end) if end else 0.0 for end in ends))


def judged(
    name: str,
    unit: str,
    days: Floats,
    people: Floats | None = None,
    heads: str = "active people",
    why: str = "",
) -> Drift:
    """What a series does, from its daily means (replicates, days); ``people`` likewise, of the
    ``heads`` that make up a total; ``why`` it moves by its declaration."""
    first, last = days[:, :WINDOW].mean(1), days[:, -WINDOW:].mean(1)
    base = abs(float(first.mean()))
    made = Drift(
        name=name,
        unit=unit,
        first=float(first.mean()),
        last=float(last.mean()),
        change=_estimate(last - first, base),
        slope=_estimate(slopes(days) * 30, 1.0),
        settles=mser(days.mean(0)),
        heads=heads,
        why=why,
    )
    if people is None:
        return made
    # a day without anybody is divided by one head, not by zero
    each = judged(name, unit, days / np.maximum(people, 1.0))
    return replace(made, per_person=each.change, settles_per_person=each.settles)
