"""Sessions: where they begin and end, how long they are, and the gaps between and within them.

A session is known to have ended on the day of its last event and the gap after it, and is counted
there; a gap between two sessions, on the day of the return.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.ground.units import DAY
from twin.kernels.observing import sums
from twin.observing.spool import SPREAD, Columns, grouped
from twin.observing.tally import Frame, Tally
from twin.observing.times import MICRO


class Sessions(NamedTuple):
    """Sessions (m,), by user and begin; and the session of each row."""

    of_row: NDArray[np.int64]
    user: NDArray[np.int64]
    row: NDArray[np.int64]
    """First row of each."""
    begin: NDArray[np.int64]
    end: NDArray[np.int64]
    """Microseconds."""
    closed: NDArray[np.int64]
    """Day on which it is known to have ended."""
    depth: NDArray[np.int64]
    """Of each row: impressions before it in its session."""


def sessions(rows: Columns, change: Any, user: NDArray[np.int64], frame: Frame) -> Sessions:
    """Sessions by their id, or by a gap without an event."""
    many, by_id = len(user), "session" in rows
    if by_id:
        key = rows["session"] ^ (rows["user"] * SPREAD[0])
        order = grouped(key)
        begins = np.append(True, key[order][1:] != key[order][:-1])
    else:
        order = np.arange(many)
        begins = change | np.append(True, np.diff(rows["time"]) > frame.gap * MICRO)
    starts = np.flatnonzero(begins)
    ends = np.append(starts[1:], many) - 1
    place = np.cumsum(begins) - 1
    rank, of_row = np.arange(len(starts)), place
    if by_id:
        # they stand in the order of their ids: by user and begin from here on
        rank = np.lexsort((rows["time"][order[starts]], user[order[starts]]))
        back = np.empty_like(rank)
        back[rank] = np.arange(len(rank))
        of_row = np.empty(many, np.int64)
        of_row[order] = back[place]
    shown = np.cumsum(rows["shown"][order].astype(np.int64))
    base = (shown - rows["shown"][order])[starts]
    depth = np.empty(many, np.int64)
    depth[order] = np.maximum(shown - base[place] - 1, 0)
    row, last = order[starts][rank], order[ends][rank]
    closed = rows["day"][last].astype(np.int64) + (rows["clock"][last] + frame.gap) // DAY
    return Sessions(of_row, user[row], row, rows["time"][row], rows["time"][last], closed, depth)


def count(
    tally: Tally,
    rows: Columns,
    seen: NDArray[Any],
    period: NDArray[np.int64],
    of: Sessions,
) -> None:
    """Sessions by length, pairs within them, and the gaps between and within them."""
    frame, many = tally.frame, len(of.user)
    responses = len(frame.responses)
    shown = np.zeros(many, np.int64)
    known, done = (np.zeros((many, responses), np.int64) for _ in range(2))
    sums(of.of_row, np.arange(len(period)), seen, responses, shown, known, done)
    # closed after the last day: nobody knows yet how long it is
    still = of.closed > frame.last
    tally.facts.update(sessions=many, still_open=int(still.sum()))
    closed = np.where(still, -1, frame.period(of.closed))
    tally.note(("session", "day", "impressions"), closed, shown)
    tally.note(("session", "day", "seconds"), closed, (of.end - of.begin) // MICRO)
    for r, name in enumerate(frame.responses):
        tally.note(("session", "day", name), closed, done[:, r])
    again = np.flatnonzero(of.user[1:] == of.user[:-1]) + 1
    wait = np.maximum(of.begin[again] - of.end[again - 1], 0) // MICRO
    tally.note(("gap", "day", "seconds between sessions"), period[of.row[again]], wait)
    by_id = "session" in rows
    order = np.argsort(of.of_row, kind="stable") if by_id else np.arange(len(period))
    whose, time = of.of_row[order], rows["time"][order]
    unit = np.append(True, whose[1:] != whose[:-1])
    if responses:
        tally.pair("session", order, unit, period, seen)
    inside = np.flatnonzero(~unit)
    wait = (time[inside] - time[inside - 1]) // MICRO
    tally.note(("gap", "day", "seconds within a session"), period[order[inside]], wait)
