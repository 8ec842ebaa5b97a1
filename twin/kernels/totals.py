"""What the sessions of a world add up to: one record of running sums that only grow.

Kernels take the record and write it by name (`total.sessions += 1`); mechanisms keep an array of
one. All sums are of whole numbers but those of satisfaction, match, quality and arousal.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

KEPT = (1, 7, 30)
"""Days after their first on which newcomers are counted."""
GAP_BINS = 15
# not aligned: a checkpoint keeps no such flag, and kernels would compile again for what is loaded
TOTALS = np.dtype(
    [
        ("sessions", "f8"),
        ("impressions_human", "f8"),  # of posts by human creators
        ("impressions_ai", "f8"),
        ("enjoyed", "f8"),  # posts that someone was glad of
        ("satisfaction", "f8"),  # of each person right after each session
        ("left", "f8"),  # people who left for good
        ("candidates", "f8"),
        ("match", "f8"),  # of taste and content, over impressions
        ("quality", "f8"),  # over impressions, as are all below up to `popularity`
        ("arousal", "f8"),
        ("popularity", "f8"),  # impressions that the post had before
        ("cross", "f8"),  # impressions of posts that lean to the other side than the person
        ("regret", "f8"),  # posts opened that the person was not glad of
        ("labelled", "f8"),  # impressions of posts shown as made by AI
        ("works", "f8"),  # impressions of long-lived works
        ("sources", "f8", (10,)),  # impressions by source
        ("heads_human", "f8", (8,)),  # responses by head, to posts by human creators
        ("heads_ai", "f8", (8,)),
        ("hours", "f8", (24,)),  # sessions by local hour
        ("gaps", "f8", (GAP_BINS,)),  # days between two active days, the last bin and above
        ("first", "f8"),  # first sessions of newcomers
        ("kept", "f8", (len(KEPT),)),  # newcomers who came on the days of KEPT
    ]
)


def since(total: NDArray[Any], before: NDArray[Any]) -> Any:
    """What was added between two states, both (1,) of TOTALS; one record."""
    # all fields are f8: seen as plain numbers they are subtracted at once
    return (total.view(np.float64) - before.view(np.float64)).view(TOTALS)[0]


def add(total: NDArray[Any], parts: NDArray[Any]) -> None:
    """Add the records of ``parts`` (threads,) to the one of ``total`` (1,), in order."""
    plain = total.view(np.float64)
    for part in parts.view(np.float64).reshape(len(parts), -1):
        plain += part
