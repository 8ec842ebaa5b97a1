"""Sums by group in one pass over the rows, in their order."""

from __future__ import annotations

import numpy as np

from twin.ground.compiled import kernel


@kernel
def placed(values, edges):
    """How many of the rising ``edges`` lie at or below each value, i8 (rows,)."""
    code = np.zeros(len(values), np.int64)
    # few edges: a pass for each is faster than a search for each value
    for edge in edges:
        for row in range(len(values)):
            code[row] += values[row] >= edge
    return code


@kernel
def sums(code, here, first, second, groups):
    """Rows that are ``here`` by group, i8 (groups,), and sums of both values over them, f8 (groups,)
    each."""
    n = np.zeros(groups, np.int64)
    of_first, of_second = np.zeros(groups), np.zeros(groups)
    for row in range(len(code)):
        if here[row]:
            group = code[row]
            n[group] += 1
            of_first[group] += first[row]
            of_second[group] += second[row]
    return n, of_first, of_second
