"""Lists of rows: grouped, sorted, the best of them, those that few have seen."""

from __future__ import annotations

import numpy as np

from twin.ground.compiled import inner, kernel, making


@making
def grouped(rows, group, groups):
    """Counting sort of rows by group: start (groups + 1,) and rows; within a group the order
    stays."""
    start = np.zeros(groups + 1, np.int32)
    for row in rows:
        start[group[row] + 1] += 1
    for g in range(groups):
        start[g + 1] += start[g]
    # where the next row of each group goes; ``start`` itself is returned
    place = start[:-1].copy()
    out = np.empty(len(rows), np.int32)
    for row in rows:
        out[place[group[row]]] = row
        place[group[row]] += 1
    return start, out


@inner
def trends(rows, clicks, last, score, decay):
    """Decay the trending scores and add the clicks since the last refresh."""
    for row in rows:
        score[row] = score[row] * decay + (clicks[row] - last[row])
        last[row] = clicks[row]


@making
def best(rows, score, count):
    """The ``count`` rows of highest score, best first; ties to the earlier row."""
    held = 0
    out = np.empty(min(count, len(rows)), np.int32)
    for row in rows:
        # no better than the last one held; at a tie the earlier row stays
        if held == len(out) and (held == 0 or score[row] <= score[out[held - 1]]):
            continue
        at = held if held < len(out) else held - 1
        while at > 0 and score[out[at - 1]] < score[row]:
            out[at] = out[at - 1]
            at -= 1
        out[at] = row
        held = min(held + 1, len(out))
    return out[:held]


@making
def seldom(rows, impressions, below):
    """Rows with fewer than ``below`` impressions: the exploration pool."""
    count = 0
    out = np.empty(len(rows), np.int32)
    for row in rows:
        if impressions[row] < below:
            out[count] = row
            count += 1
    return out[:count]


@kernel
def ordered(rows, inside, by, former):
    """``rows`` (rising) sorted by (``by``, row). ``inside`` bool (P,) marks them; ``former`` is an
    earlier order or empty: the more alike the two are, the faster it goes."""
    n = len(rows)
    # former rows that are still inside keep their order; what is left in ``missing`` is new
    missing = inside.copy()
    kept = np.empty(n, np.int32)
    old = 0
    for row in former:
        if row < len(missing) and missing[row]:
            missing[row] = False
            kept[old] = row
            old += 1
    fresh = np.empty(n - old, np.int32)
    new = 0
    for row in rows if len(fresh) else rows[:0]:
        if missing[row]:
            fresh[new] = row
            new += 1
    if new > 1:
        # stable, and from rising rows: at a tie the lower row comes first
        fresh = fresh[np.argsort(by[fresh], kind="mergesort")]
    out = np.empty(n, np.int32)
    i = j = 0
    for k in range(n):  # merge the new into the old
        take_new = j < new
        if take_new and i < old:
            one, other = by[fresh[j]], by[kept[i]]
            take_new = one < other or (one == other and fresh[j] < kept[i])
        row = fresh[j] if take_new else kept[i]
        if take_new:
            j += 1
        else:
            i += 1
        place = k
        while place > 0 and (
            by[out[place - 1]] > by[row] or (by[out[place - 1]] == by[row] and out[place - 1] > row)
        ):
            out[place] = out[place - 1]  # only where a former row has another value now
            place -= 1
        out[place] = row
    return out
