"""Who comes to follow whom: wiring of newcomers, and trades of follows by taste.

Newcomers are wired by preferential attachment (Price 1976, Barabasi & Albert 1999) within and
across communities:

    P(creator j | inside own community) = (followers_j + 1) / sum over it ,  inside with P = homophily

They look at ``choice`` creators drawn in this way for each follow, and follow the one whose niche
suits them best: argmax of taste . niche, a cosine. A graph that is there already gets such ties by
exchange (`exchange`): nobody's number of follows or followers changes.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from twin.ground.compiled import inlined, kernel, making
from twin.ground.draws import unit, words

Array = Any
TRIES = 4
"""Draws per follow wanted; what repeats a creator already followed is dropped, as a parallel edge
is."""


class Liking(NamedTuple):
    """What people go by when they choose whom to follow; vectors of length 0 where nobody has a
    taste."""

    taste: Array  # f4 (consumers, L), unit vectors
    niche: Array  # f4 (creators, L), unit vectors
    choice: int  # creators looked at per follow; 1: the first that comes


class People(NamedTuple):
    """Columns of consumers and of creators."""

    key: Array  # u8, of consumers
    community: Array  # i2, of consumers
    home: Array  # i2, community of creators
    person: Array  # i4, the consumer who is each creator, -1 for an AI; nobody follows themselves


class Ties(NamedTuple):
    """The follow graph, CSR."""

    start: Array  # int (consumers + 1,)
    target: Array  # int (edges,), creators followed


class Candidates(NamedTuple):
    """Creators who may be followed, sorted by community."""

    creators: Array  # int (c,), rows
    first: Array  # int (communities + 1,), where each community begins
    cumulative: Array  # f8 (c + 1,), running sum of their weights


class Luck(NamedTuple):
    """A stream, and the occasion on which it is drawn from."""

    stream: Array  # u8
    occasion: Array  # a whole number


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
def wire(luck, rows, want, homophily, people, ties, candidates, liking):
    """How many creators (i4) each of ``rows`` comes to follow so that it has ``want`` (one per
    row), and these creators, row after row; keyed by (consumer, occasion, try).

    Each try looks at as many creators as `Liking` says, all inside the community or, with
    probability 1 - ``homophily``, all outside. It takes the one that suits best of those whom the
    person does not follow yet.
    """
    # out of the tuples once: numba counts who holds an array at every use of it in a loop
    key, community, person = people.key, people.community, people.person
    start, target, choice = ties.start, ties.target, liking.choice
    creators, first, cumulative = candidates.creators, candidates.first, candidates.cumulative
    count, found = np.zeros(len(rows), np.int32), np.empty(want.sum(), target.dtype)
    mark, guide = np.full(len(person), -1, np.int32), _guide(cumulative)
    # four words a call: the first says where to look, the others whom at
    whole, calls = cumulative[len(creators)], 1 + choice // 4
    n = 0
    for i in range(len(rows)):
        row, wanted, have = rows[i], want[i], 0
        for e in range(start[row], start[row + 1]):
            # marks carry the row: nothing needs clearing between people
            mark[target[e]] = row
            have += 1
        low, high = first[community[row]], first[community[row] + 1]
        own = cumulative[high] - cumulative[low]
        for attempt in range(TRIES * (wanted - have)):
            if have >= wanted or whole <= 0:
                break
            a, b, c, d = words(luck.stream, key[row], luck.occasion, calls * attempt)
            # where all weight lies in the own community there is no outside to look at
            inside = own > 0 and (unit(a) < homophily or own >= whole)
            best, most = np.int64(-1), np.float32(0)
            for look in range(1, choice + 1):
                if look % 4 == 0:
                    a, b, c, d = words(
                        luck.stream, key[row], luck.occasion, calls * attempt + look // 4
                    )
                word = a if look % 4 == 0 else b if look % 4 == 1 else c if look % 4 == 2 else d
                if inside:
                    x = cumulative[low] + unit(word) * own
                    p = _place(cumulative, guide, low, high, x)
                else:
                    x = unit(word) * (whole - own)
                    if x >= cumulative[low]:  # skip the own community
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
def exchange(luck, source, ties, people, liking):
    """Trade followed creators between people where that suits the two taken together better;
    ``ties.target`` changes in place.

    Every tie (consumer, creator), those of ``source`` and ``target`` sorted by consumer, is offered
    for ``choice - 1`` others in turn: ties inside a community for such of the same community, ties
    that leave one for such that do as well. Keyed by (consumer, occasion + round, place). So
    everybody keeps the number of follows, creators the number of followers, and as many ties stay
    inside each community as before.
    """
    start, target = ties.start, ties.target
    key, community, home, person = people.key, people.community, people.home, people.person
    inside = community[source] == home[target]
    group = np.where(inside, community[source].astype(np.int64), -1)
    # ties that may be traded for one another lie together in this order, from first to last
    order = np.argsort(group, kind="mergesort")
    ordered = group[order]
    first = np.searchsorted(ordered, group, side="left")
    last = np.searchsorted(ordered, group, side="right")
    for turn in range(liking.choice - 1):
        for e in range(len(source)):
            a, x = source[e], target[e]
            word, _, _, _ = words(luck.stream, key[a], luck.occasion + turn, e - start[a])
            f = order[first[e] + np.int64(unit(word) * (last[e] - first[e]))]
            b, y = source[f], target[f]
            # nobody may come to follow themselves
            if a == b or x == y or person[y] == a or person[x] == b:
                continue
            if not inside[e] and (home[y] == community[a] or home[x] == community[b]):
                continue
            # of both people together: one of them may lose
            gain = (_suits(liking, a, y) + _suits(liking, b, x)) - (
                _suits(liking, a, x) + _suits(liking, b, y)
            )
            # ... nor the same creator twice
            if (
                gain > 0
                and y not in target[start[a] : start[a + 1]]
                and x not in target[start[b] : start[b + 1]]
            ):
                target[e], target[f] = y, x
