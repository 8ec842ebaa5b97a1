"""What one part of a log, all rows of some items, adds to the sums: items, makers, their age."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.kernels.observing import COUNTS, DONE, SEEN
from twin.observing.people import group
from twin.observing.spool import grouped
from twin.observing.tally import AGES, Frame, Group, Tally

Rows = NDArray[Any]


def observe(rows: Rows, frame: Frame, makers: bool) -> Tally:
    """Sums over rows of `people.ITEMS` (n,), of any order."""
    tally = Tally(frame)
    if not len(rows):
        return tally
    seen = np.zeros(len(rows), SEEN)
    for name in ("shown", "given", "done"):
        seen[name] = rows[name]
    period = frame.period(rows["day"])
    _units(tally, "item", np.ascontiguousarray(rows["item"]), period, seen)
    maker = np.ascontiguousarray(rows["maker"])
    known = maker != 0
    if makers and known.all():
        _units(tally, "maker", maker, period, seen)
    elif makers and known.any():
        _units(tally, "maker", maker[known], period[known], seen[known])
    return tally


def _units(
    tally: Tally, of: str, key: NDArray[np.uint64], period: NDArray[np.int64], seen: Rows
) -> None:
    """Distributions over items or makers, how many are shown, and how many are new."""
    frame = tally.frame
    order = grouped(key, period, frame.periods)
    key = key.take(order)
    unit = np.append(True, key[1:] != key[:-1])
    each, _ = group(seen, order, unit, period.take(order), len(frame.responses))
    tally.spread(of, "impressions", each, each.shown)
    for r, name in enumerate(frame.responses):
        tally.spread(of, name, each, each.done[:, r])
    tally.shares(of, each)
    if frame.responses:
        tally.pair(of, order, unit, period, seen)
    table = np.zeros((frame.periods, 2), np.int64)
    table[:, 0] = np.bincount(each.period, minlength=frame.periods)
    table[:, 1] = np.bincount(each.period[each.first], minlength=frame.periods)
    tally.supply[of] = table
    tally.facts.update({f"{of}s": int(unit.sum())})
    if of == "item":
        _ages(tally, each)


def _ages(tally: Tally, each: Group) -> None:
    """Impressions and responses by days since an item was first shown."""
    frame = tally.frame
    starts = np.flatnonzero(each.first)
    since = np.repeat(each.period[starts], np.diff(np.append(starts, len(each.first))))
    age = np.searchsorted(AGES, (each.period - since) * frame.step, "right") - 1
    cell, size = age * frame.periods + each.period, len(AGES) * frame.periods
    counts = np.zeros(size, COUNTS)
    counts["impressions"] = np.bincount(cell, each.shown, size)
    done = np.zeros((size, len(frame.responses)), DONE)
    for r in range(len(frame.responses)):
        done["known"][:, r] = np.bincount(cell, each.known[:, r], size)
        done["total"][:, r] = np.bincount(cell, each.done[:, r], size)
    tally.counts["item age"] = counts.reshape(len(AGES), frame.periods)
    tally.done["item age"] = done.reshape(len(AGES), frame.periods, len(frame.responses))
