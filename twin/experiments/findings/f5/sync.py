"""Finding 5 in worlds: how often the served model is updated, in a feed with new posts and in one
without.
"""

from __future__ import annotations

import numpy as np

from twin.experiments.findings.f5.arms import (
    AUC,
    GINI,
    GLAD,
    HOURS,
    LOSS,
    MATCH,
    OTHERS,
    SOURCE,
    size,
)
from twin.experiments.findings.kit import means
from twin.experiments.findings.kit.arms import Arm, because
from twin.experiments.findings.kit.claims import Claim, sign, vanishes
from twin.experiments.findings.kit.declare import Part
from twin.experiments.findings.kit.readings import Readings


def _sync_arms(control: str = "") -> list[Arm]:
    return [
        Arm(name, hours, {"recommender.sync_every": name}, control)
        for name, hours in zip(("30min", "1h", "5h", "1d"), HOURS, strict=True)
    ]


def judge_sync(seen: Readings) -> list[Claim]:
    """A fresher model predicts better while posts keep coming, and no better where nothing is
    new."""
    made = []
    for metric, way in ((AUC, -1), (LOSS, 1)):
        hours, values = seen.doses(metric)
        # On the log axis: intervals are spread over a factor of 48.
        claim = sign(
            f"{metric.words}, per sd of the log sync interval",
            means.slope(np.log(hours), values),
            way,
            SOURCE,
            matters=metric.matters,
        )
        control = vanishes(
            f"nothing new: {metric.words}, per sd of the log sync interval",
            means.slope(np.log(hours), seen.doses(metric, "nothing new")[1]),
            claim,
        )
        made += [claim, control]
    return made


# Works of ten days remain and stay on show, so the same posts meet the same people for weeks.
STOP = "[{name: nothing new, at: 10d, set: {creators.ai_posts_cap: 0}}]"
SYNC = Part(
    "sync",
    "How fresh the served model is",
    varies="hours between two syncs",
    judge=judge_sync,
    arms=(*_sync_arms(), *_sync_arms("nothing new")),
    outcomes=(AUC, LOSS, MATCH, GLAD, GINI),
    world=OTHERS
    | because(
        "online training, judged once a day over all impressions",
        recommender__training="online",
        recommender__retrain_every="1d",
    ),
    controls={
        "nothing new": because(
            "control: stationary: the same people and works, none added after the tenth day",
            audience__arrivals="0/d",
            creators__human__initial="1",
            creators__human__posts_mean="0/d",
            creators__human__arrivals="0/d",
            creators__ai__initial="40",
            creators__ai__posts_mean="2/d",
            creators__ai__work_share="1",
            recommender__work_expiry="3650d",
            policies=STOP,
        )
    },
    full=size(16, 120, 1000, 200, 2, "1d"),
    quick=size(4, 30, 400, 80, 1, "1d"),
    windows=((0.5, 1.0),),
    doses=True,
    log_dose=True,
)
