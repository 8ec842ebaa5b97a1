"""Rows of tables that are looked for again and again: who wakes in a window, and which rows are
free."""

from __future__ import annotations

import numpy as np

from twin.ground.compiled import kernel

FEW = 64
"""Up to so many rows are sorted by insertion."""


@kernel
def due_rows(times, now):
    """Rows i8 whose time is before ``now``, sorted by (time, row)."""
    # counted first: arrays of the exact size
    count = 0
    for row in range(len(times)):
        count += times[row] < now
    rows, when = np.empty(count, np.int64), np.empty(count, np.int64)
    held = 0
    for row in range(len(times)):
        if times[row] < now:
            rows[held], when[held] = row, times[row]
            held += 1
    # both sorts are stable and rows come rising: equal times stay in the order of rows
    if count > FEW:
        return rows[np.argsort(when, kind="mergesort")]
    for i in range(1, count):
        row, time = rows[i], when[i]
        j = i
        while j > 0 and when[j - 1] > time:
            rows[j], when[j] = rows[j - 1], when[j - 1]
            j -= 1
        rows[j], when[j] = row, time
    return rows


@kernel
def earliest(times, rows):
    """The earliest time of these rows (one or more)."""
    least = times[rows[0]]
    for row in rows:
        least = min(least, times[row])
    return least


@kernel
def first_free(alive, count):
    """The lowest rows that are not ``alive``, at most ``count``."""
    rows = np.empty(count, np.int64)
    held = 0
    # where none is wanted, no row is looked at
    for row in range(len(alive) if count else 0):
        if not alive[row]:
            rows[held] = row
            held += 1
            if held == count:
                break
    return rows[:held]
