"""The serving snapshot: all that candidates, ranking and slates may read of posts and people.

It stands still within a serving window, so that sessions of a window can be planned in any order.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

Array = Any
GONE = np.float32(-3e38)
"""The score of a post that may not be taken."""


class Serving(NamedTuple):
    """The snapshot (P posts, C consumers, D dimensions, K lists, E eligible posts).

    Vectors are of the last sync; weights and rules of the last refresh, one row per arm of
    consumers (A).
    """

    item_vec: Array  # f4 (P, D)
    item_bias: Array  # f4 (P,)
    item_creator: Array  # i4 (P,)
    item_born: Array  # i8 (P,) s
    item_ai: Array  # bool (P,)
    item_key: Array  # u8 (P,)
    item_factor: Array  # f4 (P,): factor of its creator; (0,) where all have 1
    trend_score: Array  # f4 (P,)
    user_vec: Array  # f4 (C, D)
    user_bias: Array  # f4 (C,)
    interaction: Array  # f4 (D, 8)
    user_scale: Array  # f4 (8,)
    item_scale: Array  # f4 (8,)
    intercept: Array  # f4 (8,)
    weights: Array  # f4 (A, 8)
    query: Array  # f4 (A, D + 1): direction of the value model, last the weight of the biases below
    centre_vec: Array  # f4 (., D, TILE): centroids of the K lists in tiles
    centre_bias: Array  # f4 (1 or A, ., TILE), see tile_bias
    tile_start: Array  # i4 (K + 1,): the tiles of each list
    tile_post: Array  # i4 (T, TILE): posts of a list, newest first, -1 beyond its end
    # i4 (P,): where a post lies among tiles, tile * TILE + lane; -1 for one that may not be shown
    tile_of: Array
    tile_vec: Array  # f4 (T, D, TILE)
    # f4 (1 or A, T, TILE): item biases; with signals, what a post is worth to an arm whoever the
    # person is
    tile_bias: Array
    creator_start: Array  # i4 (creators + 1,)
    creator_post: Array  # i4 (E,) newest first within a creator
    trending: Array  # i4 (T,)
    fresh: Array  # i4 (F,)
    eligible: Array  # i4 (E,)
    rules: Array  # RULES (A,)
    mean_vec: Array  # f4 (D,) mean user
    mean_bias: Array  # f4 (1,)
    can: Array  # bool (P,): eligible
    item_small: Array  # bool (P,): of a small creator
    small: Array  # i4 (S,): eligible posts of small creators, a random order
    signal: Array  # f4 (P, 3): what classifiers read off a post
    reward_pool: Array  # f4 (3,): pooled reward weights of those signals
    reward_own: Array  # f4 (C, 3): each person's deviation from them
    co_viewed: Array  # i4 (P, L), linked posts, -1 for none
    bought_together: Array  # i4 (P, L)
    random_links: Array  # i4 (P, L)
    linear: Array  # f4 (P, 8): log-odds that signals add by head; (0, 8) without signals
