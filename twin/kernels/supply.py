"""Counts and sums of new posts: by kind of creator, and of humans by the community they are in."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from twin.ground.compiled import kernel

Array = Any
MADE = ("entries", "posts", "exits")
"""Columns of ``made``: counts by kind of creator since the start."""
ENTRIES, POSTS, EXITS = range(len(MADE))
SUPPLY = ("posts", "arousal", "comprehensiveness", "labelled", "assisted", "works")
"""Columns of ``supply``: sums over posts by kind of creator."""
COUNT, AROUSAL, COMPREHENSIVENESS, LABELLED, ASSISTED, WORKS = range(len(SUPPLY))
TALLIES = (
    "blocked",
    "campaign_posts",
    "niche_posts",
    "niche_exits",
    "invaded_posts",
    "other_posts",
    "invaded_exits",
    "other_exits",
)
"""Places of ``tally``: counts since the start."""
(
    BLOCKED,
    CAMPAIGN_POSTS,
    NICHE_POSTS,
    NICHE_EXITS,
    INVADED_POSTS,
    OTHER_POSTS,
    INVADED_EXITS,
    OTHER_EXITS,
) = range(len(TALLIES))


class Creators(NamedTuple):
    """Columns of creators by which posts are counted."""

    ai: Array  # bool
    campaign: Array  # bool
    community: Array  # i2


class Posts(NamedTuple):
    """Columns of posts that are summed."""

    arousal: Array  # f4
    comprehensiveness: Array  # f4
    labelled: Array  # bool
    assisted: Array  # bool
    work: Array  # bool


class Sums(NamedTuple):
    """Counts and sums, updated in place, and the communities that are distinguished."""

    made: Array  # i8 (2, 3): by kind, columns MADE
    supply: Array  # f8 (2, 6): by kind, columns SUPPLY
    tally: Array  # i8 (8,): TALLIES
    niche: Array  # bool (communities,)
    invaded: Array  # bool (communities,): AI creators work there


@kernel
def total(values):
    """A sum rounded as numpy's where it turns numbers to float64: pieces of 8192, halves down to
    128, eight lanes."""
    n = len(values)
    # numpy casts by buffers of this size and sums each by itself
    if n > 8192:
        s = 0.0
        for first in range(0, n, 8192):
            s += total(values[first : min(first + 8192, n)])
        return s
    if n < 8:
        s = 0.0
        for i in range(n):
            s += values[i]
        return s
    # numpy's smallest piece: eight sums side by side, then a tree of them
    if n <= 128:
        r0, r1, r2, r3 = values[0], values[1], values[2], values[3]
        r4, r5, r6, r7 = values[4], values[5], values[6], values[7]
        whole = n - n % 8
        for i in range(8, whole, 8):
            r0, r1, r2, r3 = (
                r0 + values[i],
                r1 + values[i + 1],
                r2 + values[i + 2],
                r3 + values[i + 3],
            )
            r4, r5, r6, r7 = (
                r4 + values[i + 4],
                r5 + values[i + 5],
                r6 + values[i + 6],
                r7 + values[i + 7],
            )
        s = ((r0 + r1) + (r2 + r3)) + ((r4 + r5) + (r6 + r7))
        for i in range(whole, n):
            s += values[i]
        return s
    half = n // 2
    # numpy halves at whole lanes
    half -= half % 8
    return total(values[:half]) + total(values[half:])


@kernel
def tally(rows, maker, creators, posts, sums):
    """Add new posts (``rows``, by creator ``maker``) to the `Sums`; posts of campaigns count as
    campaign posts alone."""
    values = np.empty((2, len(rows)))
    for kind in range(2):
        held, whole, shown, helped, lasting = kind == 1, 0, 0, 0, 0
        for i in range(len(rows)):
            r, m = rows[i], maker[i]
            if creators.ai[m] == held and not creators.campaign[m]:
                # Gathered first and summed at once: the rounding is that of numpy's sum.
                values[0, whole], values[1, whole] = posts.arousal[r], posts.comprehensiveness[r]
                whole += 1
                shown += posts.labelled[r]
                helped += posts.assisted[r]
                lasting += posts.work[r]
        if whole:
            sums.made[kind, POSTS] += whole
            sums.supply[kind, COUNT] += whole
            sums.supply[kind, AROUSAL] += total(values[0, :whole])
            sums.supply[kind, COMPREHENSIVENESS] += total(values[1, :whole])
            sums.supply[kind, LABELLED] += shown
            sums.supply[kind, ASSISTED] += helped
            sums.supply[kind, WORKS] += lasting
    for i in range(len(rows)):
        m = maker[i]
        home = creators.community[m]
        sums.tally[CAMPAIGN_POSTS] += creators.campaign[m]
        if not creators.ai[m]:
            sums.tally[NICHE_POSTS] += sums.niche[home]
            sums.tally[INVADED_POSTS if sums.invaded[home] else OTHER_POSTS] += 1
