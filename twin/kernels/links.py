"""Item-to-item links: decayed counts of pairs in a hash map, and the best partners of every post.

The map is open-addressed with linear probing: ``slot_key`` u8 (low row << 32 | high row, EMPTY
where free), ``slot_weight`` f8, a power of two long, never more than half full. A weight in it
depends on the order of observations and not on the map's length.

An observation at time t adds 2^((t - landmark) / half-life) ("forward decay", Cormode et al. 2009):
old weights need no touch, and a rescale to a new landmark gives exactly the exponentially decayed
count.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from twin.ground.compiled import inlined, inner, kernel
from twin.ground.draws import mix64, unit, words

Array = Any
EMPTY = np.uint64(2**64 - 1)
# bits of the first two heads, click and long view
CLICK_LONG_VIEW = np.uint16(3)
LONG_VIEW = np.uint16(2)
BASKET = 32
"""Most posts of one session that are paired with one another."""
RING = 4
"""Works that are remembered per person."""
_32 = np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)


class Log(NamedTuple):
    """Impressions (n,) of a window, rows of one session contiguous."""

    consumer: Array  # i4
    post: Array  # i4
    responses: Array  # u2, bits over HEADS


class Counts(NamedTuple):
    """Pairs of one kind, and how often each post was seen alone."""

    degree: Array  # f8 (P,), decayed count of a post
    slot_key: Array  # u8 (slots,)
    slot_weight: Array  # f8 (slots,)
    used: Array  # i8 (1,), slots taken


class Purchases(NamedTuple):
    """Works that people consumed last."""

    work: Array  # bool (P,)
    bought: Array  # i4 (C, RING), newest first, -1 none
    bought_at: Array  # i4 (C, RING), minutes


@inlined
def _place(key, slot_key):
    """Where a key is or would go."""
    # a power of two long, so that a mask wraps; half of it free, so that probing ends
    last = len(slot_key) - 1
    s = np.int64(mix64(key) & np.uint64(last))
    while slot_key[s] != EMPTY and slot_key[s] != key:
        s = (s + 1) & last
    return s


@inlined
def _pair(a, b):
    low, high = min(a, b), max(a, b)
    return np.uint64(low) << _32 | np.uint64(high)


@inner
def _add(a, b, gain, slot_key, slot_weight, used):
    key = _pair(a, b)
    s = _place(key, slot_key)
    if slot_key[s] == EMPTY:
        slot_key[s], slot_weight[s] = key, 0.0
        used[0] += 1
    slot_weight[s] += gain


@kernel
def co_view(log, first, gain, counts, limit):
    """Pair the posts long-viewed in each session of a `Log`, from row ``first`` on.

    A post's degree counts sessions in which it was long-viewed. Returns the row of the first
    session that might not fit into ``limit`` pairs, before anything of it was counted; the length
    of the log if all did.
    """
    basket = np.empty(BASKET, np.int64)
    # out of the tuples once: numba counts who holds an array at every use of it in a loop
    consumer, post, responses = log.consumer, log.post, log.responses
    degree, slot_key, slot_weight = counts.degree, counts.slot_key, counts.slot_weight
    used = counts.used
    at, size = first, len(consumer)
    while at < size:
        # one session: the different posts that were viewed to the end
        end, n = at, 0
        while end < size and consumer[end] == consumer[at]:
            if responses[end] & LONG_VIEW and n < BASKET:
                twice = False
                for i in range(n):
                    twice |= basket[i] == post[end]
                if not twice:
                    basket[n] = post[end]
                    n += 1
            end += 1
        # before anything is counted: the caller makes room and starts again at this row
        if used[0] + n * (n - 1) // 2 > limit:
            return at
        for i in range(n):
            degree[basket[i]] += gain
            for j in range(i):
                _add(basket[j], basket[i], gain, slot_key, slot_weight, used)
        at = end
    return size


@kernel
def co_buy(log, first, gain, counts, limit, purchases, minute, together):
    """Pair each work consumed (click and long view) with the last RING works that the same person
    consumed within ``together`` minutes before ``minute``.

    A work that is still in the ring is only moved to its front, so that one person's repeats count
    once. A post's degree counts people who consumed it. Returns as `co_view`.
    """
    consumer, post, responses = log.consumer, log.post, log.responses
    degree, slot_key, slot_weight = counts.degree, counts.slot_key, counts.slot_weight
    used, work = counts.used, purchases.work
    bought, bought_at = purchases.bought, purchases.bought_at
    for at in range(first, len(consumer)):
        row, new = consumer[at], post[at]
        if responses[at] & CLICK_LONG_VIEW != CLICK_LONG_VIEW or not work[new]:
            continue
        if used[0] + RING > limit:
            return at
        # the place that the new work takes: its own, else one that is free, else the oldest
        last = RING - 1
        for k in range(RING - 1, -1, -1):
            if bought[row, k] < 0:  # a place that a released work left, or that was never taken
                last = k
        for k in range(RING):
            if bought[row, k] == new:
                last = k
        if bought[row, last] != new:
            degree[new] += gain
            for k in range(RING):
                if bought[row, k] >= 0 and minute - bought_at[row, k] <= together:
                    _add(bought[row, k], new, gain, slot_key, slot_weight, used)
        # those in front move back by one
        for k in range(last, 0, -1):
            bought[row, k], bought_at[row, k] = bought[row, k - 1], bought_at[row, k - 1]
        bought[row, 0], bought_at[row, 0] = new, minute
    return len(consumer)


@kernel
def repack(slot_key, slot_weight, scale, floor, new_key, new_weight):
    """Put every pair whose weight times ``scale`` is positive and at least ``floor`` into an empty
    map; returns how many."""
    count = 0
    for s in range(len(slot_key)):
        weight = slot_weight[s] * scale
        if slot_key[s] != EMPTY and weight > 0 and weight >= floor:
            t = _place(slot_key[s], new_key)
            new_key[t], new_weight[t] = slot_key[s], weight
            count += 1
    return count


@kernel
def forget_pairs(dead, slot_key, slot_weight):
    """Set the weight of every pair with a dead end to 0 (then repack); returns how many."""
    count = 0
    for s in range(len(slot_key)):
        key = slot_key[s]
        if key != EMPTY and (dead[np.int64(key >> _32)] or dead[np.int64(key & _LOW)]):
            slot_weight[s] = 0.0
            count += 1
    return count


@kernel
def forget_links(dead, linked):
    """Clear the links of dead posts and close the gaps that they leave in those of others."""
    for row in range(len(linked)):
        n = 0
        for k in range(linked.shape[1]):
            other = linked[row, k]
            # cleared before it may be filled again: n never runs ahead of k
            linked[row, k] = -1
            if other >= 0 and not dead[row] and not dead[other]:
                linked[row, n] = other
                n += 1


@kernel
def forget_rows(dead, ring):
    """Clear the rows that are dead in rings of row numbers (people, places), -1 for none."""
    for row in range(len(ring)):
        for k in range(ring.shape[1]):
            if ring[row, k] >= 0 and dead[ring[row, k]]:
                ring[row, k] = -1


@inlined
def _offer(row, other, score, linked, best):
    """Insert into a row's list, best first; among equals the lower row is first, so the order of
    offers does not matter."""
    # from the end: what is worse moves down until the place is found
    k = linked.shape[1]
    while k > 0 and (
        linked[row, k - 1] < 0
        or score > best[row, k - 1]
        or (score == best[row, k - 1] and other < linked[row, k - 1])
    ):
        k -= 1
        if k + 1 < linked.shape[1]:
            linked[row, k + 1], best[row, k + 1] = linked[row, k], best[row, k]
    if k < linked.shape[1]:
        linked[row, k], best[row, k] = other, score


@kernel
def link(slot_key, slot_weight, degree, showable, shrinkage, linked, best):
    """Fill ``linked`` i4 (P, width): each post's best partners among those that may be shown.
    ``best`` f8 (P, width) is scratch.

    score = n / sqrt(d_a d_b) * n / (n + shrinkage), n the pair's decayed count and d the posts'
    own.
    """
    # ``best`` is not cleared: it is compared only where ``linked`` has an entry
    linked[:] = -1
    for s in range(len(slot_key)):
        key, n = slot_key[s], slot_weight[s]
        if key == EMPTY:
            continue
        a, b = np.int64(key >> _32), np.int64(key & _LOW)
        if not (showable[a] or showable[b]):
            continue
        score = n / np.sqrt(degree[a] * degree[b]) * (n / (n + shrinkage))
        if showable[b]:
            _offer(a, b, score, linked, best)
        if showable[a]:
            _offer(b, a, score, linked, best)


@kernel
def link_at_random(pool, inside, keys, stream, occasion, linked):
    """Fill the lists of the posts in ``pool`` with partners drawn from it; a link stays while both
    ends are in (``inside`` bool (P,)).

    A draw that hits the post itself or a partner it has moves on to the next in the pool.
    """
    n = len(pool)
    for row in pool:
        have = 0
        for k in range(linked.shape[1]):
            other = linked[row, k]
            linked[row, k] = -1
            if other >= 0 and inside[other]:
                linked[row, have] = other
                have += 1
        # at most n - 1 partners: so the search below always finds a free one
        for k in range(have, min(linked.shape[1], n - 1)):
            luck, _, _, _ = words(stream, keys[row], occasion, k)
            i = int(unit(luck) * n)
            while True:
                other = pool[i]
                free = other != row
                for j in range(k):
                    free &= linked[row, j] != other
                if free:
                    break
                i = (i + 1) % n
            linked[row, k] = other
