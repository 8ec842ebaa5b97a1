"""What the impressions of a campaign's posts did: who was reached, and how far they were moved
towards the target."""

from __future__ import annotations

import numpy as np

from twin.ground.compiled import kernel
from twin.kernels.respond import pull

S_IMPRESSIONS, S_AIMED, S_MOVED = range(3)
"""Running sums: impressions, those on people aimed at, opinion moved towards the target."""


@kernel
def shown(
    consumer,
    post,
    maker,
    group,
    slant,
    opinion,
    openness,
    rate,
    tolerance,
    repulsion,
    target,
    aimed,
    reached,
    total,
):
    """Go through impressions (consumer, post), in order; ``maker`` by post, ``group`` by creator
    (-1: no account of ours).

    Marks ``reached`` (bool by consumer) and adds to ``total`` (3,), see S_*. One post moves x by d
    = rate * openness * pull, so towards the target by |x - target| - |x + d - target|.
    """
    for k in range(len(post)):
        creator = maker[post[k]]
        if creator < 0 or group[creator] < 0:
            continue
        i = consumer[k]
        total[S_IMPRESSIONS] += 1
        if aimed[i]:
            total[S_AIMED] += 1
        reached[i] = True
        x = np.float64(opinion[i])
        moved = x + rate * openness[i] * pull(x, slant[post[k]], tolerance, repulsion)
        total[S_MOVED] += abs(x - target) - abs(moved - target)
