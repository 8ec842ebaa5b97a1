"""The follow graph as arrays: reading edge lists, CSR upkeep, wiring of newcomers, label
propagation.

A graph of n consumers is CSR: ``start`` int (n + 1,), ``target`` int (edges,), creators followed by
row, -1 for a follow that was dropped since the last rebuild, both as narrow as their numbers allow;
follows made since then hang on a chain per consumer (see `follows.Follows`).

Newcomers are wired by preferential attachment (Price 1976, Barabasi & Albert 1999) within and
across communities:

    P(creator j | inside own community) = (followers_j + 1) / sum over it ,  inside with P = homophily

They look at ``choice`` creators so drawn for each follow and follow the one whose niche suits them
best: argmax of taste . niche, a cosine. A graph that is there already gets such ties by exchange
(`exchange`): nobody's number of follows or followers changes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.ground.compiled import inlined, kernel, making
from twin.ground.draws import mix64, unit, words
from twin.kernels.follows import Follows

TRIES = 4
"""Draws per follow wanted; what repeats a creator already followed is dropped, as a parallel edge
is."""


class Liking(NamedTuple):
    """What people go by when they choose whom to follow; vectors of length 0 where nobody has a
    taste."""

    taste: NDArray[np.float32]  # (consumers, L), unit vectors
    niche: NDArray[np.float32]  # (creators, L), unit vectors
    choice: int  # creators looked at per follow; 1: the first that comes


@kernel
def parse_edges(data):
    """Pairs of ids int64 (n, 2) in the bytes of an edge list, and 0 or the number of the first line
    that is wrong.

    Two ids a line, apart by blanks, tabs or a comma; ``#`` begins a comment; empty lines are
    skipped.
    """
    lines = 1
    for byte in data:
        if byte == 10:
            lines += 1
    pairs = np.empty((lines, 2), np.int64)
    n, line, found, digits, value, comment = 0, 1, 0, 0, np.int64(0), False
    for i in range(len(data) + 1):
        byte = np.int64(data[i]) if i < len(data) else 10
        if comment and byte != 10:
            continue
        if 48 <= byte <= 57:
            value = value * 10 + byte - 48
            digits += 1
            if digits > 18 or found == 2:
                return pairs[:n], line
            continue
        if digits:
            pairs[n, found] = value
            found, digits, value = found + 1, 0, np.int64(0)
        if byte == 35:
            comment = True
        elif byte == 10:
            if found == 1:
                return pairs[:n], line
            n += found // 2
            found, comment = 0, False
            line += 1
        elif byte != 32 and byte != 9 and byte != 13 and byte != 44:
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


@making
def _guide(cumulative):
    """Where equal parts of the whole begin, four per candidate: the first place whose running sum
    exceeds it."""
    parts = 4 * (len(cumulative) - 1)
    guide, place, step = np.empty(parts, np.int32), 0, cumulative[-1] / max(parts, 1)
    for k in range(parts):
        while place < len(cumulative) - 2 and cumulative[place + 1] <= k * step:
            place += 1
        guide[k] = place
    return guide


@inlined
def _place(cumulative, guide, low, high, x):
    """The place p in low..high-1 with cumulative[p] <= x < cumulative[p + 1], sought from where the
    guide points."""
    part = min(int(x / cumulative[-1] * len(guide)), len(guide) - 1)
    p = min(max(np.int64(guide[part]), low), high - 1)
    while p > low and cumulative[p] > x:
        p -= 1
    while p < high - 1 and cumulative[p + 1] <= x:
        p += 1
    return p


@inlined
def _suits(liking, row, creator):
    """Cosine of a person's taste and a creator's niche; 0 where there are none."""
    total = np.float32(0)
    for k in range(liking.niche.shape[1]):
        total += liking.taste[row, k] * liking.niche[creator, k]
    return total


@kernel
def wire(
    stream,
    occasion,
    rows,
    key,
    want,
    homophily,
    community,
    person,
    start,
    target,
    creators,
    first,
    cumulative,
    liking,
):
    """How many creators (i4) each of ``rows`` comes to follow so that it has ``want`` (one per
    row), and these creators, row after row; keyed by (consumer, occasion, try).

    Each try looks at as many creators as `Liking` says, all inside the community or all outside,
    and takes the one that suits best of those whom the person does not follow yet.

    ``creators`` int (c,) candidates sorted by community, ``first`` (communities + 1,) where each
    begins, ``cumulative`` f8 (c + 1,) running sum of their weights, ``person`` the consumer who is
    each creator (nobody follows themselves).
    """
    count, found = np.zeros(len(rows), np.int32), np.empty(want.sum(), target.dtype)
    mark, guide = np.full(len(person), -1, np.int32), _guide(cumulative)
    whole, calls = (
        cumulative[len(creators)],
        1 + liking.choice // 4,
    )  # four words a call, the first says where to look
    n = 0
    for i in range(len(rows)):
        row, wanted, have = rows[i], want[i], 0
        for e in range(start[row], start[row + 1]):
            mark[target[e]] = row
            have += 1
        low, high = first[community[row]], first[community[row] + 1]
        own = cumulative[high] - cumulative[low]
        for attempt in range(TRIES * (wanted - have)):
            if have >= wanted or whole <= 0:
                break
            a, b, c, d = words(stream, key[row], occasion, calls * attempt)
            inside = own > 0 and (unit(a) < homophily or own >= whole)
            best, most = np.int64(-1), np.float32(0)
            for look in range(1, liking.choice + 1):
                if look % 4 == 0:
                    a, b, c, d = words(stream, key[row], occasion, calls * attempt + look // 4)
                luck = unit(
                    a if look % 4 == 0 else b if look % 4 == 1 else c if look % 4 == 2 else d
                )
                if inside:
                    p = _place(cumulative, guide, low, high, cumulative[low] + luck * own)
                else:
                    x = luck * (whole - own)
                    if x >= cumulative[low]:
                        x += own
                    p = _place(cumulative, guide, 0, len(creators), x)
                creator = creators[p]
                if mark[creator] != row and person[creator] != row:
                    suits = _suits(liking, row, creator)
                    if best < 0 or suits > most:
                        best, most = creator, suits
            if best >= 0:
                mark[best] = row
                found[n] = best
                count[i] += 1
                n, have = n + 1, have + 1
    return count, found[:n]


@kernel
def exchange(stream, key, source, start, target, community, home, person, liking):
    """Trade followed creators between people where that suits the two taken together better;
    ``target`` changes in place.

    Every tie (consumer, creator), those of ``source`` and ``target`` sorted by consumer, is offered
    for ``choice - 1`` others in turn: ties inside a community for such of the same community, ties
    that leave one for such that do as well. ``community`` of consumers, ``home`` of creators; keyed
    by (consumer, round, place). So everybody keeps the number of follows, creators the number of
    followers, and as many ties stay inside each community as before.
    """
    inside = community[source] == home[target]
    group = np.where(inside, community[source].astype(np.int64), -1)
    order = np.argsort(group, kind="mergesort")
    first, last = (
        np.searchsorted(group[order], group, side="left"),
        np.searchsorted(group[order], group, side="right"),
    )
    for turn in range(liking.choice - 1):
        for e in range(len(source)):
            a, x = source[e], target[e]
            luck, _, _, _ = words(stream, key[a], turn, e - start[a])
            f = order[first[e] + np.int64(unit(luck) * (last[e] - first[e]))]
            b, y = source[f], target[f]
            if a == b or x == y or person[y] == a or person[x] == b:
                continue
            if not inside[e] and (home[y] == community[a] or home[x] == community[b]):
                continue
            gain = (_suits(liking, a, y) + _suits(liking, b, x)) - (
                _suits(liking, a, x) + _suits(liking, b, y)
            )
            if (
                gain > 0
                and y not in target[start[a] : start[a + 1]]
                and x not in target[start[b] : start[b + 1]]
            ):
                target[e], target[f] = y, x


@kernel
def propagate(start, target, luck, rounds):
    """Communities by label propagation (Raghavan et al. 2007): each node takes the commonest label
    around it.

    ``luck`` u8 keys the order of visits and breaks ties, so that the outcome is a pure function of
    graph and key.
    """
    size = len(start) - 1
    label, count = np.arange(size), np.zeros(size, np.int64)
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
                count[label[target[e]]] = 0
            if best != label[node]:
                label[node] = best
                moved += 1
        if moved == 0:
            break
    return label
