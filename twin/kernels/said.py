"""What ratings and votes share: columns of people and posts, running sums, and the memory of what a
person has had a say on.

A person has one say per work and one per post: a ring of fingerprints holds the last ones.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from twin.ground.compiled import inlined, inner
from twin.ground.draws import mix64

Array = Any
RING = 16
RATING, VOTE = range(2)
"""Kinds of a say."""
STARS = 5
SUMS = np.dtype(
    [
        ("purchases", "f8"),  # works consumed
        ("ratings", "f8"),  # posted; the next five are sums over these, unless they say otherwise
        ("stars", "f8"),
        ("quality", "f8"),  # as experienced
        ("surprise", "f8"),  # q - E, of all works consumed
        ("anchoring", "f8"),  # the three pulls
        ("herding", "f8"),
        ("disconfirmation", "f8"),
        ("votes_up", "f8"),
        ("votes_down", "f8"),
        ("purchase_stars", "f8"),  # what all who consumed a work would have posted
        ("forced", "f8"),  # judgements of the forced sample
        ("forced_stars", "f8"),
        ("moved", "f8"),  # experiment: pairs whose prediction is moved
        ("move", "f8"),  # by how much, in the direction of the shift
        ("drift_moved", "f8"),  # their r - p
        ("unmoved", "f8"),
        ("drift_unmoved", "f8"),
        ("ratings_star", "f8", (STARS,)),
        ("ratings_star_bought", "f8", (STARS,)),
        ("ratings_star_forced", "f8", (STARS,)),
    ]
)
"""Running sums since the start, a record; stars by sample at the end."""


class Raters(NamedTuple):
    """Columns of consumers."""

    key: Array  # u8
    taste: Array  # f4 (C, L)
    opinion: Array  # f4
    rating_expectation: Array  # f4, general expectation
    rating_residual: Array  # f4, sum of posted ratings less mean and work's bias
    ratings_given: Array  # i4
    said: Array  # u2 (C, RING), fingerprints
    said_at: Array  # i1, place in that ring


class Works(NamedTuple):
    """Columns of posts."""

    key: Array  # u8
    content: Array  # f4 (P, L)
    quality: Array  # f4
    slant: Array  # f4
    rating_shown: Array  # f4, average on show, 0 for none
    rating_sum: Array  # i4
    rating_count: Array  # i4
    votes_up: Array  # i4
    votes_down: Array  # i4
    seed: Array  # i1


class Scene(NamedTuple):
    """What all judgements of a window share."""

    people: Raters
    works: Works
    total: Array  # record of SUMS
    rules: Array  # record of RatingsParams
    rating_stream: Array  # u8
    vote_stream: Array  # u8


@inlined
def pair_key(i, j, people, works):
    """Key of the meeting of a person and a post."""
    return mix64(people.key[i] ^ mix64(works.key[j]))


@inlined
def fingerprint(key, kind):
    """Sixteen bits of an identity, for a RATING or a VOTE; 0 is left for empty places."""
    # the kind is mixed in: a rating and a vote on one post are two says
    bits = mix64(key + np.uint64(kind)) & np.uint64(0xFFFF)
    return np.uint16(bits) if bits else np.uint16(1)


@inner
def first_time(i, mark, people):
    """Whether a person meets this fingerprint for the first time (of those remembered); remembers
    it if so."""
    said, said_at = people.said, people.said_at
    for s in range(RING):
        if said[i, s] == mark:
            return False
    # a ring: the oldest say gives way
    said[i, said_at[i]] = mark
    said_at[i] = (said_at[i] + 1) % RING
    return True
