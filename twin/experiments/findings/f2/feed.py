"""Finding 2 in the feed: from the pooled to the personal reward model, and over heterogeneity.

The model assumes the spread that there is. So at sigma = 0 the personal model is the pooled one to
the bit.
"""

from __future__ import annotations

import numpy as np

from twin.experiments.findings.f2.arms import (
    BETWEEN,
    CROSS,
    FEED,
    GINI,
    SIGMAS,
    SLANT,
    SOURCE,
    WITHIN,
    feed_size,
    gained,
    model_at,
    share_arms,
    sigma_arms,
)
from twin.experiments.findings.kit import means
from twin.experiments.findings.kit.arms import because
from twin.experiments.findings.kit.claims import Claim, sign, vanishes
from twin.experiments.findings.kit.declare import Part
from twin.experiments.findings.kit.readings import Readings


def judge_feed(seen: Readings) -> list[Claim]:
    """Signs over the share of the personal model, and the control without spread."""
    made = []
    for metric, way in ((BETWEEN, 1), (WITHIN, -1)):
        claim = sign(
            f"feed: {metric.words}, per sd of the personal share",
            means.slope(*seen.doses(metric)),
            way,
            SOURCE,
            matters=metric.matters,
            primary=metric is BETWEEN,
        )
        control = vanishes(
            f"feed, the model assumes that people are alike: {metric.words}, personal less pooled",
            gained(seen, metric, "no spread"),
            claim,
            beside=gained(seen, metric),
        )
        made += [claim, control]
    made.append(
        sign(
            f"feed: {CROSS.words}, personal less pooled",
            # Echo chambers may or may not cross camps: no source gives a sign.
            gained(seen, CROSS),
            -1,
            "no sign of its own: reported",
            matters=CROSS.matters,
            aside=True,
        )
    )
    return made


def judge_feed_sigma(seen: Readings) -> list[Claim]:
    """The gap between both models grows with heterogeneity and is zero where people are alike."""
    made = []
    for metric, way in ((BETWEEN, 1), (WITHIN, -1)):
        gap = np.array([seen.effect(model_at(s, True), model_at(s, False), metric) for s in SIGMAS])
        claim = sign(
            f"feed: personal less pooled, {metric.words}, per sd of sigma",
            means.slope(SIGMAS, gap),
            way,
            SOURCE,
            matters=metric.matters,
        )
        control = vanishes(
            f"feed, people and model at sigma 0: personal less pooled, {metric.words}",
            # At sigma 0 both models are the same to the bit; at sigma 1 is the effect that
            # vanishes.
            gap[0],
            claim,
            beside=gap[2],
        )
        made += [claim, control]
    return made


PERSONAL, SPREAD = "recommender.reward.personalisation", "recommender.reward.spread"
FULL, QUICK = feed_size(10, 120, 2000, 300), feed_size(4, 30, 600, 60)
SHARE_PART = Part(
    "feed",
    "In the feed: from the pooled to the personal model",
    varies="share of the personal reward in the feed",
    judge=judge_feed,
    arms=[*share_arms(PERSONAL), *share_arms(PERSONAL, "no spread", (0.0, 1.0))],
    outcomes=[BETWEEN, WITHIN, CROSS, GINI, SLANT],
    world=FEED,
    controls={
        "no spread": because(
            "heterogeneity 0: the model assumes that people are alike",
            recommender__reward__spread="0",
        )
    },
    full=FULL,
    quick=QUICK,
    doses=True,
    both_ends=(GINI, BETWEEN),
)
SIGMA_PART = Part(
    "feed_sigma",
    "In the feed: how far people differ",
    varies="heterogeneity of opinions",
    judge=judge_feed_sigma,
    # The defaults, which are sigma 1.
    arms=sigma_arms({"opinions.lean": "0.6", "opinions.spread": "0.4"}, PERSONAL, model=SPREAD),
    outcomes=[BETWEEN, WITHIN, GINI],
    world=FEED,
    full=FULL,
    quick=QUICK,
)
