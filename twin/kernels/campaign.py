"""What the impressions of a campaign's posts did: who was reached, and how far they were moved
towards the target."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from twin.ground.compiled import kernel
from twin.kernels.respond import pull

Array = Any
SUMS = np.dtype(
    [
        ("impressions", "f8"),
        ("aimed", "f8"),  # of them, on people aimed at
        ("moved", "f8"),  # opinion moved towards the target
    ]
)
"""Running sums, a record."""


class Posts(NamedTuple):
    """Columns of posts, and one of creators."""

    creator: Array  # i4
    slant: Array  # f4
    campaign_group: Array  # i2, of creators; -1 for no account of the campaign


class People(NamedTuple):
    """Columns of consumers."""

    opinion: Array  # f4
    openness: Array  # f4, 1 - stubbornness
    campaign_aimed: Array  # bool
    campaign_reached: Array  # bool, written


class Persuasion(NamedTuple):
    """How one post moves an opinion: levers of opinions."""

    exposure_rate: float
    tolerance: float
    repulsion: float


@kernel
def shown(consumer, post, posts, people, persuasion, rules, total):
    """Go through impressions (consumer, post), in order: mark who was reached, and add to ``total``,
    a record of SUMS; ``rules`` is one of CampaignsParams.

    One post moves x by d = exposure_rate * openness * pull, so towards the target by |x - target| -
    |x + d - target|.
    """
    target, rate = rules.target, persuasion.exposure_rate
    tolerance, repulsion = persuasion.tolerance, persuasion.repulsion
    creators, group, slant = posts.creator, posts.campaign_group, posts.slant
    for k in range(len(post)):
        creator = creators[post[k]]
        if creator < 0 or group[creator] < 0:
            continue
        i = consumer[k]
        total.impressions += 1
        if people.campaign_aimed[i]:
            total.aimed += 1
        people.campaign_reached[i] = True
        x = np.float64(people.opinion[i])
        step = rate * people.openness[i] * pull(x, slant[post[k]], tolerance, repulsion)
        # positive towards the target, from whichever side a person comes
        total.moved += abs(x - target) - abs(x + step - target)
