"""Summary statistics of an observed folder: what a calibration compares.

The same code reads a platform's log and a simulated world's, so nothing can be measured in two
ways. Every statistic is a ratio, a share or a shape: none depends on how many people there are,
as a world is smaller than a platform. Amounts enter as logarithms and shares as log-odds, on which
their spread over worlds is near to normal. A statistic that a log does not allow is absent, and a
calibration uses those that both sides have.

Which statistics: those that carried the information in a study in which parameters of simulated
worlds were recovered from their logs, see `twin.observing.identify`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.special import ndtri

from twin.observing.folder import Observed

Array = NDArray[np.float64]
LEAST = 1e-6
"""Shares closer to 0 or 1 than this count as that close: log-odds are finite."""
Statistics = dict[str, float]
"""Transformed values by name."""
BY_CHANCE = ", chosen by chance"
"""Ends the names of what is read of impressions that chance chose: a calibration leaves them out
where they are what is to be forecast."""


def odds(share: float) -> float:
    """Log-odds of a share."""
    kept = min(max(share, LEAST), 1 - LEAST)
    return math.log(kept / (1 - kept))


def amount(value: float) -> float:
    """Logarithm of an amount; NaN where there is none."""
    return math.log(value) if value > 0 else math.nan


class Histogram:
    """Bins of units with their total, over all days of a window or at its end."""

    def __init__(self, table: pa.Table) -> None:
        self.low, self.units, self.total = (
            np.asarray(table[name].to_numpy(), np.float64) for name in ("low", "units", "total")
        )
        order = np.argsort(self.low, kind="stable")
        self.low, self.units, self.total = self.low[order], self.units[order], self.total[order]

    def __bool__(self) -> bool:
        return bool(self.units.sum() > 1 and self.total.sum() > 0)

    @property
    def mean(self) -> float:
        """Per unit."""
        return float(self.total.sum() / self.units.sum())

    def share(self, most: float) -> float:
        """Of units, in bins that begin at ``most`` or below."""
        return float(self.units[self.low <= most].sum() / self.units.sum())

    def quantile(self, share: float) -> float:
        """The mean of the bin in which the quantile lies, between bins linearly."""
        middle = self.total / np.maximum(self.units, 1)
        at = (np.cumsum(self.units) - self.units / 2) / self.units.sum()
        return float(np.interp(share, at, middle))

    def spread(self) -> float:
        """Sd between bins, over the mean."""
        middle = self.total / np.maximum(self.units, 1)
        variance = float((self.units * (middle - self.mean) ** 2).sum() / self.units.sum())
        return math.sqrt(variance) / self.mean

    def top(self, share: float) -> float:
        """Of the total, what the largest units have."""
        units, total = self.units[::-1], self.total[::-1]
        return float(
            np.interp(
                share * units.sum(),
                np.append(0.0, np.cumsum(units)),
                np.append(0.0, np.cumsum(total)),
            )
            / total.sum()
        )

    def gini(self) -> float:
        """Of units, by Lorenz's curve over bins."""
        people = np.append(0.0, np.cumsum(self.units) / self.units.sum())
        have = np.append(0.0, np.cumsum(self.total) / self.total.sum())
        return float(1 - ((have[1:] + have[:-1]) * np.diff(people)).sum())


def of(observed: Observed) -> Statistics:
    """All statistics of an observed folder that are finite."""
    found: Statistics = {}
    for each in (_levels, _people, _items, _visits, _together, _course, _random):
        found.update(each(observed))
    return {name: value for name, value in found.items() if math.isfinite(value)}


def _sum(table: pa.Table, column: str) -> float:
    return float(pc.sum(table[column]).as_py() or 0)


def where(observed: Observed, name: str, **having: object) -> pa.Table:
    """Rows with these values; none where the folder has no such table."""
    if name not in observed.tables:
        return pa.table({})
    return observed.select(name, **having)


def rates(observed: Observed, **having: object) -> dict[str, tuple[float, float]]:
    """How many impressions got each response and of how many it is known, by response."""
    table = where(observed, "responses", **having)
    if not table.num_rows:
        return {}
    # what too few people did is left out of a cell, and so are the impressions that it was known of
    table = table.filter(pc.is_valid(table["total"]))
    found = table.group_by("response").aggregate([("total", "sum"), ("known", "sum")])
    return {
        row["response"]: (row["total_sum"] or 0, row["known_sum"])
        for row in found.to_pylist()
        if row["known_sum"]
    }


def _levels(observed: Observed) -> Iterator[tuple[str, float]]:
    """Responses per impression; impressions per session, sessions and impressions per person and
    day."""
    for name, (total, known) in sorted(rates(observed, cut="all").items()):
        if total:
            yield f"{name} rate", odds(total / known)
    table = where(observed, "counts", cut="all")
    if not table.num_rows:
        return
    users, sessions, shown = (_sum(table, name) for name in ("users", "sessions", "impressions"))
    if users:
        yield "impressions per person and day", amount(shown / users)
        yield "sessions per person and day", amount(sessions / users)
    if sessions:
        yield "impressions per session", amount(shown / sessions)
    yield from _sources(observed)


def _sources(observed: Observed) -> Iterator[tuple[str, float]]:
    """Where impressions came from, in the log's own words."""
    table = where(observed, "counts", cut="source")
    total = _sum(table, "impressions") if table.num_rows else 0.0
    if not total:
        return
    found = table.group_by("label").aggregate([("impressions", "sum")]).to_pylist()
    for row in sorted(found, key=lambda row: str(row["label"])):
        if row["impressions_sum"]:
            yield f"impressions from {row['label']}", odds(row["impressions_sum"] / total)


def histogram(observed: Observed, of: str, quantity: str) -> Histogram | None:
    """A distribution: over all days where it is by day, at the end where it is so far; None where
    there is none."""
    table = where(observed, "distributions", of=of, quantity=quantity)
    if not table.num_rows:
        return None
    late = table.filter(pc.equal(table["window"], "so far"))
    if late.num_rows:
        table = late.filter(pc.equal(late["day"], pc.max(late["day"])))
    found = Histogram(table)
    return found if found else None


def _people(observed: Observed) -> Iterator[tuple[str, float]]:
    """How people differ: in activity, and in how readily they respond."""
    for quantity, short in (("impressions", "impressions"), ("active days", "days")):
        if (found := histogram(observed, "user", quantity)) is not None:
            for share in (0.1, 0.25, 0.5, 0.75, 0.9):
                value = found.quantile(share) / found.mean
                yield f"people's {short}, quantile {share}", amount(value)
            yield f"people's {short}, spread", amount(found.spread())
    table = where(observed, "counts", cut="all")
    active = histogram(observed, "user", "active days")
    if active is not None and table.num_rows:
        days = len(observed.days())
        yield "share of days that people come", odds(active.mean / days)
    for name in ("click", "long_view", "like"):
        if (found := histogram(observed, "user", f"rate:{name}")) is not None:
            yield f"people's {name} rate, spread", amount(found.spread())


def _items(observed: Observed) -> Iterator[tuple[str, float]]:
    """How attention is spread over items and makers, and how they differ in quality."""
    for kind in ("item", "maker"):
        found = histogram(observed, kind, "impressions")
        if found is None:
            continue
        yield f"{kind}s seen once", odds(found.share(1.0))
        yield f"{kind}s, top 1 %", odds(found.top(0.01))
        yield f"{kind}s, top 10 %", odds(found.top(0.1))
        yield f"{kind}s, Gini", odds(found.gini())
        yield f"impressions per {kind}", amount(found.mean)
        if (rate := histogram(observed, kind, "rate:click")) is not None:
            yield f"{kind}s' click rate, spread", amount(rate.spread())


def _visits(observed: Observed) -> Iterator[tuple[str, float]]:
    """How long visits are and when people come back."""
    if (found := histogram(observed, "session", "impressions")) is not None:
        yield "sessions' impressions, spread", amount(found.spread())
        for most in (1, 3, 10):
            yield f"sessions of up to {most}", odds(found.share(most))
    if (found := histogram(observed, "gap", "days between active days")) is not None:
        for most in (1, 3, 7):
            yield f"back within {most} d", odds(found.share(most))
    if (found := histogram(observed, "gap", "seconds between sessions")) is not None:
        for hours in (2, 8, 24):
            yield f"next session within {hours} h", odds(found.share(hours * 3600))


_UNITS = ("item", "maker", "session", "user", "user and item", "user and maker")
PAIRED: dict[str, tuple[str, ...]] = {
    "click": _UNITS,
    "long_view": _UNITS,
    "like": ("user", "user and maker", "item"),
}
"""Responses that are compared within units. Likes are rare: only where many pairs are."""


def _together(observed: Observed) -> Iterator[tuple[str, float]]:
    """How much likelier two responses are together than apart, for pairs of impressions of one
    person, item, maker, session, and of one person within a maker: taste, quality and match; and
    what they share on the scale of what decides a response (`shared`)."""
    table = where(observed, "pairs")
    level = rates(observed, cut="all")
    if not table.num_rows:
        return
    sums = table.group_by(["of", "response"]).aggregate([("pairs", "sum"), ("both", "sum")])
    for row in sorted(sums.to_pylist(), key=lambda row: (row["of"], row["response"])):
        name, of_ = row["response"], row["of"]
        if of_ not in PAIRED.get(name, ()) or name not in level or not row["pairs_sum"]:
            continue
        total, known = level[name]
        if total and row["both_sum"]:
            share, together = total / known, row["both_sum"] / row["pairs_sum"]
            yield f"{name} twice, one {of_}", amount(together / share**2)
            yield f"{name} shared, one {of_}", math.atanh(shared(share, together))


_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(24)
_STEEPEST = 1.5
"""Angle at which a correlation counts as 1: its inverse hyperbolic tangent is finite."""


def shared(share: float, both: float) -> float:
    """Correlation of two normal quantities that each exceed one threshold with probability
    ``share``, and together with probability ``both`` (tetrachoric correlation).

    Unlike the ratio of ``both`` to ``share`` squared it does not fall as responses get common: what
    people, items and makers add to the odds of a response is read apart from its level.
    Plackett (1954), Biometrika 41: Phi2(h, h; r) = Phi(h)^2 + integral from 0 to asin r of
    exp(-h^2 / (1 + sin t)) dt / (2 pi).
    """
    threshold = float(ndtri(share))
    # at -1.3 the density is still smooth enough for the nodes
    low, angle = -1.3, _STEEPEST

    def density(at: Array) -> Array:
        return np.exp(-(threshold**2) / (1 + np.sin(at))) / (2 * math.pi)

    # Newton's method: the joint probability grows ever faster with the angle, so that steps from
    # above never pass it, and shrink to nothing. (To import scipy.optimize for it would take a sync
    # longer than all roots do.)
    while angle > low:
        along = angle * (_NODES + 1) / 2
        joint = share**2 + float((_WEIGHTS * density(along)).sum()) * angle / 2
        step = (joint - both) / float(density(np.asarray(angle)))
        if step < 1e-12:
            return math.sin(angle)
        angle -= step
    return math.sin(low)


def _course(observed: Observed) -> Iterator[tuple[str, float]]:
    """Where things go: the second half of the days against the first, deep in a session against
    its beginning, supply."""
    table = where(observed, "counts", cut="all")
    days = observed.days()
    if table.num_rows and len(days) >= 4:
        middle = pa.scalar(days[len(days) // 2], pa.date32())
        late = pc.greater_equal(table["day"], middle)
        before, after = table.filter(pc.invert(late)), table.filter(late)
        for name in ("users", "impressions"):
            share = _sum(after, name) / max(after.num_rows, 1)
            base = _sum(before, name) / max(before.num_rows, 1)
            if base > 0 and share > 0:
                yield f"{name}, late against early", amount(share / base)
    shallow = rates(observed, cut="depth", key=0)
    for depth in (5, 15):
        deep = rates(observed, cut="depth", key=depth)
        if "click" in deep and "click" in shallow and deep["click"][0] and shallow["click"][0]:
            value = deep["click"][0] / deep["click"][1]
            base = shallow["click"][0] / shallow["click"][1]
            yield f"click rate at depth {depth} against 0", amount(value / base)
    supply = where(observed, "supply", of="item")
    shown = _sum(table, "impressions") if table.num_rows else 0.0
    if supply.num_rows and shown:
        yield "new items per impression", amount(_sum(supply, "new") / shown)


def _random(observed: Observed) -> Iterator[tuple[str, float]]:
    """Responses to what chance chose."""
    for name, (total, known) in sorted(rates(observed, cut="explore", key=1).items()):
        if total:
            yield f"{name} rate{BY_CHANCE}", odds(total / known)
