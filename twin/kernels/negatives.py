"""Negative sampling: posts behind every logged impression, as if they had been shown and got no
response."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from twin.ground.compiled import kernel
from twin.ground.draws import words

Array = Any


class Shown(NamedTuple):
    """Impressions to train on (n), in log order: places in the lists of consumers, posts and
    creators, and responses."""

    consumer: Array  # i4
    post: Array  # i4
    creator: Array  # i4
    responses: Array  # u2, a bit per head


class Negatives(NamedTuple):
    """``each`` draws per impression from ``pool`` (rows of posts) with the luck of a stream;
    ``maker`` is the creator of every post."""

    each: int
    pool: Array  # i4
    maker: Array  # i4
    stream: np.uint64


@kernel
def with_negatives(shown, key, negatives, occasion):
    """`Shown` with the negatives of each impression right behind it.

    Draws are keyed by the consumer (``key`` u8), the occasion, and how many draws the consumer had
    before on it, so that nobody else's impressions change them.
    """
    n, wide, pool = len(shown.consumer), 1 + negatives.each, negatives.pool
    consumer, post = np.empty(n * wide, np.int32), np.empty(n * wide, np.int32)
    creator, responses = np.empty(n * wide, np.int32), np.zeros(n * wide, np.uint16)
    turn = np.zeros(len(key), np.int64)
    size = np.uint64(len(pool))
    for i in range(n):
        u, at = shown.consumer[i], i * wide
        consumer[at], post[at] = u, shown.post[i]
        creator[at], responses[at] = shown.creator[i], shown.responses[i]
        a = b = c = d = np.uint64(0)
        for j in range(negatives.each):
            if j & 3 == 0:  # a draw gives four words
                a, b, c, d = words(negatives.stream, key[u], occasion, turn[u])
                turn[u] += 1
            else:
                a, b, c = b, c, d
            # the upper half of a 32-bit word times the size is a place below it
            p = pool[(a * size) >> np.uint64(32)]
            consumer[at + 1 + j], post[at + 1 + j], creator[at + 1 + j] = u, p, negatives.maker[p]
    return Shown(consumer=consumer, post=post, creator=creator, responses=responses)
