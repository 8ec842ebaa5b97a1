"""The shape of the week in an observed folder, and days unlike their week.

The logarithm of a daily series is taken as

    log y(t) = course(t) + effect(weekday of t) + noise,   effects add up to 0

with a course of straight lines that bend every two weeks or more, fitted by least squares. Whether
there is a shape is the F test of all six effects at `SHAPE`. Noise that goes on over days has no
more power at the frequencies of a week than white noise has on average, or little more: with a
correlation from day to day of up to 0.65, logs without a shape were called shaped in less than 1 %.

Days unlike their week (holidays, failures) are found by Rosner's generalised test for many outliers
(Technometrics 1983), which outliers beside one another do not hide from: the day with the largest
deleted residual is taken out, again and again, up to a tenth of the days; of these the outliers are
all up to the last whose residual is beyond the quantile of t at `ODD` over the days left. The
shape is fitted without them. With fewer than four weeks none is looked for: of two Saturdays that
differ nobody can say which is the odd one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtrc, stdtrit

from twin.ground.errors import UsageError
from twin.observing.folder import Observed

Array = NDArray[np.float64]
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
SHAPE, ODD = 0.003, 0.005
"""Chances at which weekdays alike are called a shape, and at which in normal noise any day is
called unlike its week."""
LEAST_DAYS, LEAST_FOR_ODD, BEND = 14, 28, 14
"""Days for a shape; days for outliers; days between bends of the course."""
COLUMNS = {"sessions": "sessions", "users": "people", "impressions": "impressions"}
"""What a shape is read from, best first: a calendar moves who comes, and sessions follow. Where days
of the log are not those of people, who come in two of them count twice among people."""
SURE = 0.95


@dataclass(frozen=True)
class Odd:
    """A day unlike its week, and what it had as a multiple of what its week and weekday promise."""

    day: dt.date
    factor: float


@dataclass(frozen=True)
class Week:
    """The shape of the week of ``what`` over ``days`` days: ``factors``, Monday to Sunday, of mean
    1, each between ``low`` and ``high`` with 95 %; ``p`` the chance of so much shape where there is
    none, or none beyond the one that was known; ``odd`` days that the shape was fitted without."""

    what: str
    days: int
    factors: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    p: float
    odd: tuple[Odd, ...]

    @property
    def significant(self) -> bool:
        """Whether there is a shape: where there is none, by chance in one of 300 logs."""
        return self.p < SHAPE

    def shown(self) -> str:
        """The factors in words: ``Monday 0.95 ± 0.02, ...``."""
        return ", ".join(
            f"{name} {factor:.2f} ± {(high - low) / 2:.2f}"
            for name, factor, low, high in zip(
                WEEKDAYS, self.factors, self.low, self.high, strict=True
            )
        )


@dataclass(frozen=True)
class _Fit:
    """Least squares: coefficients, their covariance, residuals, leverages, what is left over."""

    values: Array
    covariance: Array
    residuals: Array
    leverage: Array
    rss: float
    free: int


def week(observed: Observed, known: Sequence[float] | Array | None = None) -> Week:
    """The shape of the week of the first of `COLUMNS` that the folder has for two whole weeks.

    ``known`` (7,): a shape that is known already; then ``p`` is of what goes beyond it. Raises
    UsageError where there are less than two whole weeks, or counts are not by day.
    """
    if observed.manifest["step_d"] != 1:
        raise UsageError(f"{observed.path}: counts days together, which have no weekday")
    days: list[dt.date] = []
    for column, name in COLUMNS.items():
        days, values = observed.series(column)
        if enough(days, values):
            return fitted(days, values, name, known)
    raise UsageError(
        f"{observed.path}: has {len(days)} days, the shape of a week needs two whole weeks"
    )


def enough(days: Sequence[dt.date], values: Array) -> bool:
    """Whether a series (days,) has two of every weekday."""
    has = np.isfinite(values) & (values > 0)
    return bool((np.bincount(_weekdays(days)[has], minlength=7) >= 2).all())


def fitted(
    days: Sequence[dt.date], values: Array, what: str, known: Sequence[float] | Array | None = None
) -> Week:
    """The shape of a series (days,); days without a value, or with none at all, aside. Raises
    ValueError unless it is `enough`."""
    if not enough(days, values):
        raise ValueError("a shape needs two of every weekday")
    before = np.ones(7) if known is None else np.asarray(known, float)
    weekday, at = _weekdays(days), np.array([day.toordinal() for day in days], float)
    used = np.isfinite(values) & (values > 0)
    y = np.log(np.where(used, values, 1.0)) - np.log(before)[weekday]
    design = np.concatenate([_course(at, used), _effects(weekday)], axis=1)
    bends = design.shape[1] - 6
    kept = used.copy()
    if used.sum() >= LEAST_FOR_ODD:
        kept[_outliers(y, design, weekday, used)] = False
    full = _least_squares(design[kept], y[kept])
    plain = _least_squares(design[kept][:, :bends], y[kept])
    log_factors, error = _factors(full, bends, before)
    wide = stdtrit(full.free, (1 + SURE) / 2) * error
    odd = [
        Odd(days[int(i)], float(np.exp(y[i] - design[i] @ full.values)) if used[i] else 0.0)
        for i in np.flatnonzero(~kept)
        if np.isfinite(values[i]) and used.sum() >= LEAST_FOR_ODD
    ]
    factors, low, high = (
        tuple(float(each) for each in np.exp(log_factors + by * wide)) for by in (0, -1, 1)
    )
    return Week(what, int(used.sum()), factors, low, high, _p(plain, full), tuple(odd))


def _weekdays(days: Sequence[dt.date]) -> NDArray[np.int64]:
    return np.array([day.weekday() for day in days], np.int64)


def _course(at: Array, used: NDArray[np.bool_]) -> Array:
    """Hat functions (days, bends + 2) whose sums are all lines that bend at equal distances."""
    first, last = at[used].min(), at[used].max()
    pieces = max(1, int(last - first + 1) // BEND)
    place = np.clip((at - first) / (last - first), 0, 1) * pieces
    hats: Array = np.maximum(0, 1 - abs(place[:, None] - np.arange(pieces + 1)))
    return hats


def _effects(weekday: NDArray[np.int64]) -> Array:
    """Columns (days, 6) of effects that add up to 0: that of Sunday is less the others."""
    made: Array = np.vstack([np.eye(6), -np.ones(6)])[weekday]
    return made


def _least_squares(design: Array, y: Array) -> _Fit:
    inverse = np.linalg.pinv(design.T @ design)
    values = inverse @ design.T @ y
    residuals = y - design @ values
    rss, free = float(residuals @ residuals), len(y) - design.shape[1]
    leverage = np.einsum("ij,jk,ik->i", design, inverse, design)
    return _Fit(values, inverse * rss / free, residuals, leverage, rss, free)


def _p(plain: _Fit, full: _Fit) -> float:
    """Chance of such an F where all weekdays are alike; 1 for a series without any noise."""
    # what rounding leaves of a course that is exact
    if plain.rss <= 1e-18 * max(1, len(plain.residuals)):
        return 1.0
    gain = (plain.rss - full.rss) / 6
    return float(fdtrc(6, full.free, gain / max(full.rss / full.free, 1e-300)))


def _factors(full: _Fit, bends: int, before: Array) -> tuple[Array, Array]:
    """Logarithms of factors of mean 1 (7,), and their standard errors."""
    spread = np.vstack([np.eye(6), -np.ones(6)])
    factors = before * np.exp(spread @ full.values[bends:])
    factors *= 7 / factors.sum()
    # the mean of factors moves with each of them, by its part of it
    moves = (np.eye(7) - factors / 7) @ spread
    covariance = moves @ full.covariance[bends:, bends:] @ moves.T
    return np.log(factors), np.sqrt(np.maximum(np.diag(covariance), 0))


def _outliers(
    y: Array, design: Array, weekday: NDArray[np.int64], used: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Places of days unlike their week (see the module's text)."""
    kept, taken, last = used.copy(), [], 0
    for _ in range(int(used.sum()) // 10):
        rows = np.flatnonzero(kept)
        fit = _least_squares(design[rows], y[rows])
        room = np.maximum(1 - fit.leverage, 1e-9)
        left = np.maximum(fit.rss - fit.residuals**2 / room, 1e-30) / (fit.free - 1)
        size = abs(fit.residuals) / np.sqrt(left * room)
        # of every weekday two are left to tell its effect
        size[np.bincount(weekday[rows], minlength=7)[weekday[rows]] <= 2] = 0
        worst = int(size.argmax())
        taken.append(rows[worst])
        kept[rows[worst]] = False
        if size[worst] > -stdtrit(fit.free - 1, ODD / 2 / len(rows)):
            last = len(taken)
    return np.array(taken[:last], np.int64)


def lines(
    found: Week, lacks: str = "the model lacks it unless audience.calendar is set"
) -> list[str]:
    """What was found, in lines; ``lacks`` ends the one about a shape."""
    said = f"{found.what} a day, {found.days} days"
    made = [
        f"weekday structure ({said}): {found.shown()}; {lacks}"
        if found.significant
        else f"no weekday structure that chance would not have ({said}, p = {found.p:.2g})"
    ]
    if found.odd:
        days = ", ".join(f"{each.day}={each.factor:.2f}" for each in found.odd)
        made.append(
            f"days unlike their week, such as holidays (audience.calendar.holidays): {days}"
        )
    return made


def beside(observed: Observed) -> Iterator[str]:
    """A line where impressions per session (or person) have a shape of the week: no calendar moves
    it."""
    days, shown = observed.series("impressions")
    for column, name in (("sessions", "session"), ("users", "person")):
        _, many = observed.series(column)
        each = shown / np.where(many > 0, many, np.nan)
        if not enough(days, each):
            continue
        found = fitted(days, each, f"impressions per {name}")
        if found.significant:
            yield (
                f"{found.what} have a shape of the week too, which a calendar does not move: "
                f"{found.shown()}"
            )
        return
