"""The rules of a feed: one record per arm of consumers, its fields named as the parameters of the
recommender are (a nested one joined by an underscore: `reward.weight` is `reward_weight`).

Kernels take the record and read it by name; a new lever needs its parameter, its field here, and
the line that uses it.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Ranking(IntEnum):
    """What orders candidates. The oracle, an upper reference, is no value of the lever. From OWN on
    the scores come from a ranker of the scenario's own; OWN_WEIGHED: they are weights, to which the
    rules of a slate apply as to the value model's."""

    VALUE = 0
    CHRONOLOGICAL = 1
    POPULARITY = 2
    RANDOM = 3
    ORACLE = 4
    OWN = 5
    OWN_WEIGHED = 6


class Source(IntEnum):
    """Where a shown post came from. RANDOM is a slot of ``random_share``, UNIFORM a slot of a feed
    whose ranking is random."""

    IN_NETWORK = 0
    NEAREST = 1
    TRENDING = 2
    EXPLORE = 3
    CO_VIEWED = 4
    BOUGHT_TOGETHER = 5
    SHELF = 6
    FLOOR = 7
    RANDOM = 8
    UNIFORM = 9


class Shelf(IntEnum):
    """Which links the shelf of related works shows."""

    CO_VIEWED = 0
    BOUGHT_TOGETHER = 1
    RANDOM = 2
    NONE = 3


SOURCES = tuple(source.name.lower() for source in Source)
QUOTAS = SOURCES[: Source.SHELF]
"""Sources that bring candidates, each as many as its quota."""
# not aligned: a checkpoint keeps no such flag, and kernels would compile again for what is loaded
RULES = np.dtype(
    [
        ("quota", "i8", (len(QUOTAS),)),  # posts, by source
        ("probes", "i8"),  # lists of the index that are scanned
        ("probe_cap", "i8"),  # posts scanned of each
        ("scan", "i8"),  # creators followed whose posts are looked up
        ("slate", "i8"),  # posts, as all up to shelf_size
        ("author_cap", "i8"),
        ("exposure_floor", "i8"),
        ("explore_slots", "i8"),
        ("ai_cap", "i8"),
        ("shelf_size", "i8"),
        ("shelf_kind", "i8"),  # see Shelf
        ("ranking", "i8"),  # see Ranking
        ("out_of_network", "f4"),  # factors on a score
        ("ai_factor", "f4"),
        ("small_factor", "f4"),
        ("arousal_factor", "f4"),
        ("small_withheld", "f4"),  # share of posts
        ("author_decay", "f4"),
        ("author_floor", "f4"),
        ("personalisation", "f4"),
        ("diversity", "f4"),
        ("reward_weight", "f4"),
        ("reward_personalisation", "f4"),
        ("negative_offset", "f4"),
        ("negative_sum", "f4"),  # the sums N and T of that offset, see the presets
        ("total_sum", "f4"),
        ("in_network_slots", "f4"),  # shares of slots
        ("random_share", "f4"),
    ]
)
