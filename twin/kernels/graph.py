"""The follow graph as arrays: reading edge lists, CSR upkeep, label propagation.

A graph of n consumers is CSR: ``start`` int (n + 1,), ``target`` int (edges,), creators followed by
row, -1 for a follow that was dropped since the last rebuild, both as narrow as their numbers allow;
follows made since then hang on a chain per consumer (see `follows.Follows`).

How newcomers are wired, and how people trade follows by taste: `twin.kernels.wire`.
"""

from __future__ import annotations

import numpy as np

from twin.ground.compiled import kernel
from twin.ground.draws import mix64
from twin.kernels.follows import Follows


@kernel
def parse_edges(data, more):
    """Pairs of ids int64 (n, 2) in the bytes of an edge list, and 0 or the number of the first line
    that is wrong.

    Two ids a line, apart by blanks, tabs, commas, semicolons or bars, perhaps in quotes; ``#``
    begins a comment, at the begin of a line ``%`` does, and ``{`` what networkx adds; empty lines
    are skipped. ``more``: what follows the second id is not read.
    """
    lines = 1
    for byte in data:
        if byte == 10:
            lines += 1
    pairs = np.empty((lines, 2), np.int64)
    n, line, found, digits, value, comment = 0, 1, 0, 0, np.int64(0), False
    # one byte more than there are: it ends the last line as a line feed would
    for i in range(len(data) + 1):
        byte = np.int64(data[i]) if i < len(data) else 10
        if comment and byte != 10:
            continue
        if 48 <= byte <= 57:  # a digit
            # no number beyond int64; a third one in a line is wrong
            if found == 2 or value > (np.int64(2**63 - 1) - (byte - 48)) // 10:
                return pairs[:n], line
            value = value * 10 + byte - 48
            digits += 1
            continue
        if digits:
            pairs[n, found] = value
            found, digits, value = found + 1, 0, np.int64(0)
            comment = more and found == 2 and byte != 10
        if byte == 35 or byte == 123 or (byte == 37 and found == 0):  # '#', '{', '%'
            comment = True
        elif byte == 10:  # line feed
            if found == 1:
                return pairs[:n], line
            # one row for two ids, none for an empty line
            n += found // 2
            found, comment = 0, False
            line += 1
        # blank, tab, carriage return, comma, semicolon, bar, both quotes
        elif not comment and byte not in (32, 9, 13, 44, 59, 124, 34, 39):
            return pairs[:n], line
    return pairs[:n], 0


@kernel
def csr(size, source, target):
    """CSR of edges that are sorted by source: ``start`` int64 (size + 1,) and ``target`` as it
    is."""
    start = np.zeros(size + 1, np.int64)
    for s in source:
        start[s + 1] += 1
    for i in range(size):
        start[i + 1] += start[i]
    return start, target


@kernel
def merge(graph: Follows, consumer_active, creator_active, start, target, lost):
    """Fill a new CSR (start, target) with old edges, then pending ones, of those still active;
    returns how many. Counts in ``lost`` int (n,) the follows of each of these people whose creator
    is active no more."""
    old = len(graph.start) - 1
    n = 0
    for row in range(len(start) - 1):
        if consumer_active[row]:
            # people who joined since the last rebuild have pending follows alone
            if row < old:
                for e in range(graph.start[row], graph.start[row + 1]):
                    creator = graph.target[e]
                    if creator >= 0 and creator_active[creator]:
                        target[n] = creator
                        n += 1
                    elif creator >= 0:
                        lost[row] += 1
            edge = graph.pending_head[row] if row < len(graph.pending_head) else -1
            while edge >= 0:
                creator = graph.pending_creator[edge]
                if creator >= 0 and creator_active[creator]:
                    target[n] = creator
                    n += 1
                elif creator >= 0:
                    lost[row] += 1
                edge = graph.pending_next[edge]
        # also for people who left: their rows are empty
        start[row + 1] = n
    return n


@kernel
def extend(start, target, rows, count, creators, grown, wider):
    """Fill the CSR (grown, wider) with the edges of (start, target); each of ``rows``, which rise,
    gets behind its own the next ``count`` of ``creators``."""
    n = e = i = 0
    for row in range(len(start) - 1):
        for k in range(start[row], start[row + 1]):
            wider[n] = target[k]
            n += 1
        if i < len(rows) and rows[i] == row:
            for _ in range(count[i]):
                wider[n] = creators[e]
                n, e = n + 1, e + 1
            i += 1
        grown[row + 1] = n


@kernel
def propagate(start, target, luck, rounds):
    """Communities by label propagation (Raghavan et al. 2007): each node takes the commonest label
    around it.

    ``luck`` u8 keys the order of visits and breaks ties, so that the outcome is a pure function of
    graph and key.
    """
    size = len(start) - 1
    label, count = np.arange(size), np.zeros(size, np.int64)
    # mix64 is a bijection: no two nodes tie, so every sort gives this order
    order = np.argsort(np.array([mix64(luck + np.uint64(i)) for i in range(size)]))
    for _ in range(rounds):
        moved = 0
        for node in order:
            best, most = label[node], np.int64(0)
            for e in range(start[node], start[node + 1]):
                near = label[target[e]]
                count[near] += 1
                tie = count[near] == most and mix64(luck ^ np.uint64(near)) < mix64(
                    luck ^ np.uint64(best)
                )
                if count[near] > most or tie:
                    best, most = near, count[near]
            for e in range(start[node], start[node + 1]):
                # only what was counted: clearing all at every node would be quadratic
                count[label[target[e]]] = 0
            if best != label[node]:
                label[node] = best
                moved += 1
        if moved == 0:
            break
    return label
