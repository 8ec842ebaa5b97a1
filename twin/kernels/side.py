"""Side information: what is known of a post beside its IDs, and what the served model makes of it.

    s = (readings: topic (16), slant, arousal, comprehensiveness, format, AI label; counts: clicks,
    likes, comments, hides)

Readings are what the platform's classifiers read off a post, once, when it is new, scaled to be of
order one. Counts are how a post's responses stand against the platform's rates r_h,

    tally_h = log((responses_h + K) / (r_h impressions + K)) ,  K = 3 ,

in 16ths, as four signed bytes, so that the log can keep for every impression what the feed knew:
packed into one i4.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from twin.ground.compiled import inlined, kernel
from twin.kernels.lanes import dot8

Array = Any
TOPICS = 16
READ = TOPICS + 5
"""Topic, slant, arousal, comprehensiveness, format, label."""
SLANT, AROUSAL, COMPREHENSIVENESS, FORMAT, LABEL = range(TOPICS, READ)
TALLIED = (0, 2, 3, 6)
"""Heads whose counts are known: click, like, comment, hide."""
WIDE = READ + len(TALLIED)
SURE = 3.0
"""K: expected responses at which a post's own count weighs half; assumption."""
STEPS = 16
"""Steps of a tally per unit of log: 6 % each."""
EMPTY = np.float32(-1e9)
"""Below any list with posts, above one that was scanned already (`snapshot.GONE`)."""
# by place: topics, slant, arousal, comprehensiveness, format, label
CENTRE = np.array([0.0] * TOPICS + [0.0, 0.35, 0.5, 0.0, 0.0], np.float32)
SCALE = np.array([TOPICS**0.5] * TOPICS + [1 / 0.4, 1 / 0.2, 1 / 0.3, 1.0, 1.0], np.float32)
"""A reading x counts as (x - centre) * scale."""


class Side(NamedTuple):
    """Side information of logged impressions (n), as the served model weighs it; F is 0 without
    signals."""

    reading: Array  # f4 (posts, READ)
    tally: Array  # i4 (n,)
    mask: Array  # f4 (F,): 1 for a signal that is used, else 0
    S: Array  # f4 (F, 8)


@inlined
def fill(reading, place, tally, mask, out, b):
    """s of a post into out[b] (F,): its readings, then its counts, which are packed into
    ``tally``."""
    for j in range(READ):
        out[b, j] = mask[j] * reading[place, j]
    # a cast to a signed byte takes one count out and gives it its sign
    for j in range(len(TALLIED)):
        out[b, READ + j] = mask[READ + j] * (
            np.float32(np.int8(tally >> 8 * j)) / np.float32(STEPS)
        )


@kernel
def take(rows, found, work, labelled, reading):
    """Readings as the model takes them: of posts ``rows`` what classifiers found f8 (n, FORMAT),
    format and label; f4 (posts, READ) is written at rows."""
    for i, row in enumerate(rows):
        for j in range(FORMAT):
            reading[row, j] = (found[i, j] - CENTRE[j]) * SCALE[j]
        reading[row, FORMAT] = (np.float64(work[row]) - CENTRE[FORMAT]) * SCALE[FORMAT]
        reading[row, LABEL] = (np.float64(labelled[row]) - CENTRE[LABEL]) * SCALE[LABEL]


@kernel
def note(post, tally, noted):
    """What is known of logged posts (n): i4 (n,) is written; returns which of the posts they are,
    in order."""
    named = np.zeros(len(tally), np.bool_)
    for i, p in enumerate(post):
        noted[i] = tally[p]
        named[p] = True
    return np.flatnonzero(named)


@kernel
def count(rows, impressions, responses, rates, tally):
    """Tallies of posts: ``responses`` i4 (posts, 8), ``rates`` f8 (4,) of TALLIED per impression;
    i4 (posts,) is written at rows."""
    for row in rows:
        packed = 0
        for j in range(len(TALLIED)):
            x = math.log((responses[row, TALLIED[j]] + SURE) / (rates[j] * impressions[row] + SURE))
            # the nearest step, as a byte in two's complement
            packed |= (math.floor(min(max(STEPS * x, -127.0), 127.0) + 0.5) & 255) << 8 * j
        # the same 32 bits read as a signed number
        tally[row] = np.int32(packed if packed < 2**31 else packed - 2**32)


@kernel
def project(rows, reading, mask, P, vec):
    """Add what P makes of readings to the vectors f4 (posts, D) of these posts."""
    for row in rows:
        for j in range(READ):
            x = mask[j] * reading[row, j]
            for k in range(vec.shape[1]):
                vec[row, k] += x * P[j, k]


@kernel
def weigh(rows, reading, tally, mask, S, out):
    """What S makes of posts, by head: f4 (posts, 8) is written at rows."""
    known, lift = np.empty((1, WIDE), np.float32), np.empty(8, np.float32)
    for row in rows:
        fill(reading, row, tally[row], mask, known, 0)
        dot8(known, 0, S, 0, lift, 0)
        for h in range(8):
            out[row, h] = lift[h]


@kernel
def worth(first, tile_post, query, pull, bias, linear):
    """What a post is worth to every consumer alike, by arm (A): query * bias + pull . linear, f4 (A,
    tiles, lanes), and its mean over each list f4 (A, lists); an empty list is worth less than any
    other."""
    arms, lists, lanes = len(query), len(first) - 1, tile_post.shape[1]
    out, mean = np.zeros((arms, len(tile_post), lanes), np.float32), np.full((arms, lists), EMPTY)
    for a in range(arms):
        for g in range(lists):
            total, many = 0.0, 0
            for t in range(first[g], first[g + 1]):
                for c in range(lanes):
                    row = tile_post[t, c]
                    if row >= 0:
                        x = query[a] * bias[row]
                        for h in range(8):
                            x += pull[a, h] * linear[row, h]
                        out[a, t, c] = x
                        total += x
                        many += 1
            if many:
                mean[a, g] = total / many
    return out, mean
