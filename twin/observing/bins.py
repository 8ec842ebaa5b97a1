"""Bins of counts and of shares, the same in every log, and how small ones are merged."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

EXACT = 16
"""Counts below have a bin each; above, four bins double the count."""
EDGES: NDArray[np.int64] = np.concatenate(
    [np.arange(EXACT), np.ceil(EXACT * 2.0 ** (np.arange(4 * 40) / 4)).astype(np.int64)]
)
"""Least count of each bin."""
COUNTS = len(EDGES)
SHARES = 50
"""Bins of shares from 0 to 1, the last with 1."""
LEAST_FOR_SHARE = 10
"""A person's or an item's share is of so many impressions at least."""
_TABLE = (np.searchsorted(EDGES, np.arange(2**16), "right") - 1).astype(np.int64)


class Merged(NamedTuple):
    """Bins of at least k units each (m,)."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    """Inclusive for counts, exclusive for shares."""
    units: NDArray[np.int64]
    total: NDArray[np.float64]

    def rows(self, about: Mapping[str, Any]) -> list[dict[str, Any]]:
        """A row of the table of distributions for each bin; ``about``: what they are of."""
        # as lists: numbers of arrays are made one by one otherwise
        return [
            {
                **about,
                "low": low,
                "high": high if math.isfinite(high) else None,
                "units": many,
                "total": total,
            }
            for low, high, many, total in zip(*(each.tolist() for each in self), strict=True)
        ]


def of_counts(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Bin of each count (n,), which is zero or more."""
    small = values < len(_TABLE)
    if small.all():
        return _TABLE[values]
    found: NDArray[np.int64] = np.searchsorted(EDGES, values, "right") - 1
    return found


def of_shares(done: NDArray[np.int64], known: NDArray[np.int64]) -> NDArray[np.int64]:
    """Bin of each share (n,); in whole numbers, so that no rounding decides."""
    return np.minimum(done * SHARES // np.maximum(known, 1), SHARES - 1)


def edges(shares: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Low and high end of every bin."""
    if shares:
        low = np.arange(SHARES) / SHARES
        return low, np.append(low[1:], 1.0)
    low = EDGES.astype(np.float64)
    return low, np.append(low[1:] - 1, np.inf)


def merged(units: NDArray[np.int64], total: NDArray[np.float64], k: int, shares: bool) -> Merged:
    """Bins of a histogram (bins,) joined with those above them until each has ``k`` units; a rest
    joins the last. Nothing if there are fewer than ``k`` in all."""
    used = np.flatnonzero(units)
    columns = (*edges(shares), units, total)
    found: list[list[float]] = []
    opened: list[float] | None = None
    for low, high, many, sums in zip(*(each[used].tolist() for each in columns), strict=True):
        if opened is None:
            opened = [low, high, 0, 0.0]
        opened[1] = high
        opened[2] += many
        opened[3] += sums
        if opened[2] >= k:
            found.append(opened)
            opened = None
    if opened is not None and found:
        found[-1][1] = opened[1]
        found[-1][2] += opened[2]
        found[-1][3] += opened[3]
    made = np.array(found, np.float64).reshape(-1, 4)
    return Merged(made[:, 0], made[:, 1], made[:, 2].astype(np.int64), made[:, 3])
