"""Loops over the rows of a log: identities of names, and counts by cell."""

from __future__ import annotations

import numpy as np

from twin.ground.compiled import kernel
from twin.ground.draws import mix64

_PRIME, _SEED = np.uint64(0x100000001B3), np.uint64(0xCBF29CE484222325)
MOST_DIGITS = 18


@kernel
def identities(starts, data, out):
    """A 64-bit identity for each text ``data[starts[i]:starts[i + 1]]`` (bytes), into ``out`` (n,).

    A whole number of up to 18 digits in its usual spelling is mixed as a number, so that 12 and
    "12" are one and the same and no two numbers collide; ``12.0``, as tables write whole numbers
    beside gaps, is 12. Other texts are hashed by FNV-1a. Empty text gives 0.
    """
    for i in range(len(out)):
        begin, end = starts[i], starts[i + 1]
        while begin < end and data[begin] <= 32:
            begin += 1
        while begin < end and data[end - 1] <= 32:
            end -= 1
        if begin == end:
            out[i] = 0
            continue
        last = end
        if end - begin > 2 and data[end - 1] == 48 and data[end - 2] == 46:
            last = end - 2
        number, plain = np.uint64(0), 0 < last - begin <= MOST_DIGITS
        for at in range(begin, last):
            if not 48 <= data[at] <= 57 or (at == begin and data[at] == 48 and last - begin > 1):
                plain = False
                break
            number = number * np.uint64(10) + np.uint64(data[at] - 48)
        if plain:
            out[i] = mix64(number + np.uint64(1))
        else:
            word = _SEED
            for at in range(begin, end):
                word = (word ^ np.uint64(data[at])) * _PRIME
            out[i] = mix64(word ^ np.uint64(0x5555555555555555))


@kernel
def cells(cell, user, row, most, counts, responses):
    """Count rows by cell. Rows of one user stand together.

    ``cell`` (n,): the cell of each row, negative for none. ``user`` (n,): 0, 1, ... not falling.
    ``row`` (n,) has the fields ``shown`` (0 or 1), ``given`` and ``done`` (bits: which responses
    are known, and which happened) and ``inverse`` (1 / propensity, or 0). ``most``: responses.
    ``counts`` (cells,) and ``responses`` (cells, most): records of `COUNTS` and `DONE`.
    """
    last = np.full(len(counts), -1, np.int64)
    done_by = np.full((len(counts), most), -1, np.int64)
    for i in range(len(cell)):
        c = cell[i]
        if c < 0:
            continue
        one = counts[c]
        one.rows += 1
        one.impressions += row[i].shown
        one.inverse += row[i].inverse
        one.inverse_squared += row[i].inverse * row[i].inverse
        if last[c] != user[i]:
            last[c] = user[i]
            one.users += 1
        given, done = row[i].given, row[i].done
        for r in range(most):
            if (given >> r) & 1:
                responses[c, r].known += 1
            if (done >> r) & 1:
                responses[c, r].total += 1
                responses[c, r].weighted += row[i].inverse
                if done_by[c, r] != user[i]:
                    done_by[c, r] = user[i]
                    responses[c, r].users += 1


COUNTS = np.dtype(
    [
        ("rows", "i8"),
        ("impressions", "i8"),
        ("users", "i8"),  # distinct people
        ("inverse", "f8"),  # sum of 1 / propensity
        ("inverse_squared", "f8"),
    ]
)
DONE = np.dtype(
    [
        ("known", "i8"),  # impressions of which it is known whether they got the response
        ("total", "i8"),  # responses
        ("weighted", "f8"),  # responses over propensity
        ("users", "i8"),  # distinct people with a response
    ]
)
SEEN = np.dtype([("shown", "u1"), ("given", "u2"), ("done", "u2"), ("inverse", "f8")])
"""What `cells` reads of a row."""


@kernel
def sums(group, order, row, most, shown, known, done):
    """Add rows to groups: impressions (groups,), and by response (groups, most) how many are known
    and how many happened. ``group`` (n,): of the row ``order[i]``; ``row`` as in `cells`."""
    for i in range(len(group)):
        g, one = group[i], row[order[i]]
        shown[g] += one.shown
        for r in range(most):
            known[g, r] += (one.given >> r) & 1
            done[g, r] += (one.done >> r) & 1


@kernel
def pairs(order, begins, period, row, most, out):
    """Add ordered pairs of impressions within units, and in how many of them both responded.

    ``order`` (n,): rows so that units stand together and periods do not fall within one;
    ``begins`` (n,): whether a unit begins there. ``period`` and ``row`` by row, as in `cells`.
    ``out`` (periods, most, 3): units with a pair for the first time, pairs, both. One more of n
    impressions makes n (n + 1) - n (n - 1) = 2 n more ordered pairs.
    """
    known, done = np.zeros(most, np.int64), np.zeros(most, np.int64)
    for i in range(len(order)):
        if begins[i]:
            known[:] = 0
            done[:] = 0
        one = row[order[i]]
        into = out[period[order[i]]]
        for r in range(most):
            if (one.given >> r) & 1:
                into[r, 0] += known[r] == 1
                into[r, 1] += 2 * known[r]
                known[r] += 1
            if (one.done >> r) & 1:
                into[r, 2] += 2 * done[r]
                done[r] += 1
