"""What one part of a log, all rows of some people, adds to the sums: cells, people, pairs.

Nothing of a day depends on a later one: what lasts is counted on the day on which its end is known.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.ground.units import HOUR
from twin.kernels.observing import COUNTS, DONE, SEEN, cells, sums
from twin.observing import visits
from twin.observing.spool import SPREAD, Columns, grouped
from twin.observing.tally import AGES, DEPTHS, Frame, Group, Tally

ITEMS = np.dtype(
    [
        ("item", "u8"),
        ("maker", "u8"),
        ("day", "i4"),
        ("given", "u2"),
        ("done", "u2"),
        ("shown", "u1"),
    ]
)
"""What is kept of a row for the sums by item."""


class Part(NamedTuple):
    """What a part adds."""

    tally: Tally
    items: NDArray[Any]
    """(n,) of ITEMS."""
    repeated: NDArray[np.int64]
    """Places of rows that repeat another."""


def observe(records: NDArray[Any], frame: Frame) -> Part:
    """Sums over the rows of some people (n,), in the order of the log."""
    time = np.ascontiguousarray(records["time"])
    if (time[1:] < time[:-1]).any():
        records = records.take(np.argsort(time, kind="stable"))
    # take copies records as blocks; indexing would go field by field
    records = records.take(grouped(np.ascontiguousarray(records["user"])))
    repeated = np.empty(0, np.int64)
    if frame.drop and frame.users:
        again = _repeated(records)
        if again.any():
            repeated = np.sort(records["place"][again])
            records = records.take(np.flatnonzero(~again))
    tally = Tally(frame)
    rows = {name: np.ascontiguousarray(records[name]) for name in records.dtype.names or ()}
    if not len(records):
        return Part(tally, np.empty(0, ITEMS), repeated)
    change = np.append(True, rows["user"][1:] != rows["user"][:-1])
    user = np.cumsum(change) - 1
    seen = _picked(rows, SEEN)
    period = frame.period(rows["day"])
    first = np.minimum.reduceat(rows["day"], np.flatnonzero(change))
    sessions = visits.sessions(rows, change, user, frame) if frame.users and frame.clock else None
    _cells(tally, rows, seen, user, period, first, sessions)
    if frame.users:
        _people(tally, rows, seen, user, period, sessions)
    if frame.users and frame.responses:
        _together(tally, rows, seen, period, change)
    if sessions is not None:
        visits.count(tally, rows, seen, period, sessions)
    return Part(tally, _picked(rows, ITEMS), repeated)


def _picked(rows: Columns, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Records of some columns; 0 where there is no such column."""
    made = np.zeros(len(rows["user"]), dtype)
    for name in dtype.names or ():
        if name in rows:
            made[name] = rows[name]
    return made


def _repeated(rows: NDArray[Any]) -> NDArray[np.bool_]:
    """Which rows (by user and time) are equal to an earlier one in all that is read."""
    again = np.zeros(len(rows), bool)
    same = (rows["user"][1:] == rows["user"][:-1]) & (rows["time"][1:] == rows["time"][:-1])
    tied = np.append(False, same) | np.append(same, False)
    at = np.flatnonzero(tied)
    if not len(at):
        return again
    one = rows[at]
    word = np.zeros(len(at), np.uint64)
    for name in rows.dtype.names or ():
        if name not in ("user", "time", "place", "day", "clock"):
            value = np.ascontiguousarray(one[name])
            if value.dtype.kind == "f":
                value = value.view(f"u{value.dtype.itemsize}")
            word = (word ^ value.astype(np.uint64)) * SPREAD[0]
            word ^= word >> np.uint64(31)
    run = np.cumsum(
        np.append(
            True, ~((one["user"][1:] == one["user"][:-1]) & (one["time"][1:] == one["time"][:-1]))
        )
    )
    order = np.lexsort((word, run))
    equal = (word[order][1:] == word[order][:-1]) & (run[order][1:] == run[order][:-1])
    again[at[order[1:][equal]]] = True
    return again


def _cells(
    tally: Tally,
    rows: Columns,
    seen: NDArray[Any],
    user: NDArray[np.int64],
    period: NDArray[np.int64],
    first: NDArray[np.int32],
    sessions: visits.Sessions | None,
) -> None:
    """Counts by cut: all, hour, position, source, explore, days since first seen, depth."""
    frame, many = tally.frame, len(tally.frame.responses)
    for cut, classes in frame.keys.items():
        if cut == "hour":
            at = (rows["clock"] // HOUR).astype(np.int64)
        elif cut == "age":
            at = np.searchsorted(AGES, rows["day"] - first[user], "right") - 1
        elif cut == "depth":
            assert sessions is not None
            at = np.searchsorted(DEPTHS, sessions.depth, "right") - 1
        elif cut == "all":
            at = np.zeros(len(user), np.int64)
        else:
            # the last class of sources is of all that have no code of their own
            at = np.minimum(rows[cut].astype(np.int64), classes - 1)
        cell = np.where(at >= 0, at * frame.periods + period, -1)
        counts = np.zeros(classes * frame.periods, COUNTS)
        done = np.zeros((len(counts), many), DONE)
        cells(cell, user, seen, many, counts, done)
        tally.counts[cut] = counts.reshape(classes, frame.periods)
        tally.done[cut] = done.reshape(classes, frame.periods, many)
        if sessions is not None and cut in ("all", "hour", "age"):
            made = np.bincount(cell[sessions.row], minlength=len(counts))
            tally.sessions[cut] = made.reshape(classes, frame.periods)
        if frame.amounts:
            table = np.zeros((len(counts), len(frame.amounts), 3))
            for i in range(len(frame.amounts)):
                value = rows[f"amount{i}"].astype(np.float64)
                fit = ~np.isnan(value) & (cell >= 0)
                for j, power in enumerate((value[fit] ** 0, value[fit], value[fit] ** 2)):
                    table[:, i, j] = np.bincount(cell[fit], power, len(counts))
            tally.amounts[cut] = table.reshape(classes, frame.periods, len(frame.amounts), 3)


def group(
    seen: NDArray[Any],
    order: NDArray[np.int64],
    unit: NDArray[np.bool_],
    period: NDArray[np.int64],
    responses: int,
) -> tuple[Group, NDArray[np.int64]]:
    """Rows summed by unit and period, and the group of each of ``order`` (n,), in which rows stand
    by unit and period. ``unit`` (n,): where a unit begins; ``period`` (n,): in that order."""
    begins = unit | np.append(True, period[1:] != period[:-1])
    at = np.cumsum(begins) - 1
    many = int(at[-1]) + 1
    shown = np.zeros(many, np.int64)
    known, done = (np.zeros((many, responses), np.int64) for _ in range(2))
    sums(at, order, seen, responses, shown, known, done)
    starts = np.flatnonzero(begins)
    return Group(unit[starts], period[starts], shown, known, done), at


def _people(
    tally: Tally,
    rows: Columns,
    seen: NDArray[Any],
    user: NDArray[np.int64],
    period: NDArray[np.int64],
    sessions: visits.Sessions | None,
) -> None:
    """Distributions over people, cohorts, and days between active days."""
    frame = tally.frame
    change = np.append(True, user[1:] != user[:-1])
    each, at = group(seen, np.arange(len(user)), change, period, len(frame.responses))
    came = np.bincount(at[sessions.row], minlength=len(each.period)) if sessions else None
    tally.spread("user", "impressions", each, each.shown)
    if came is not None:
        tally.spread("user", "sessions", each, came)
    tally.spread("user", "active days", each, np.ones(len(each.period), np.int64))
    for r, name in enumerate(frame.responses):
        tally.spread("user", name, each, each.done[:, r])
    tally.shares("user", each)
    starts = np.flatnonzero(each.first)
    lengths = np.diff(np.append(starts, len(each.first)))
    since = np.repeat(each.period[starts], lengths)
    cell, size = since * frame.periods + each.period, frame.periods**2
    table = np.zeros((size, 3), np.int64)
    table[:, 0] = np.bincount(cell, minlength=size)
    table[:, 1] = np.bincount(cell, each.shown, size)
    if came is not None:
        table[:, 2] = np.bincount(cell, came, size)
    tally.cohorts = table.reshape(frame.periods, frame.periods, 3)
    # days, not periods: a return after two days is one in a log of any length
    fresh = np.append(True, rows["day"][1:] != rows["day"][:-1]) & ~change
    back = np.flatnonzero(fresh)
    wait = (rows["day"][back] - rows["day"][back - 1]).astype(np.int64)
    tally.note(("gap", "day", "days between active days"), period[back], np.maximum(wait, 0))
    least = np.add.reduceat(each.shown, starts)
    tally.facts.update(users=len(starts), slight=int((least <= 10).sum()))


def _together(
    tally: Tally,
    rows: Columns,
    seen: NDArray[Any],
    period: NDArray[np.int64],
    change: NDArray[np.bool_],
) -> None:
    """Pairs of impressions of one person, and of one person within an item or a maker."""
    tally.pair("user", np.arange(len(period)), change, period, seen)
    for name in ("item", "maker"):
        if name not in rows:
            continue
        key = (rows["user"] * SPREAD[1]) ^ (rows[name] * SPREAD[0])
        key ^= key >> np.uint64(29)
        order = grouped(key)
        key = key.take(order)
        unit = np.append(True, key[1:] != key[:-1])
        tally.pair(f"user and {name}", order, unit, period, seen)
        if name == "item":
            tally.facts.update(meetings=int(unit.sum()), met=len(unit))
