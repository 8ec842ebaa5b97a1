"""Finding 5 in worlds: how often the served model is updated, while posts and people keep coming and
where nothing is new.

The feed has no model (`twin.experiments.findings.f5.arms`), so worlds that differ in the interval
between two syncs show the same, and all copies are judged on the same random impressions.
"""

from __future__ import annotations

from twin.experiments.findings.f5.arms import (
    AUC,
    BLIND,
    ENTROPY,
    GLAD,
    LOSS,
    NE_MATTERS,
    OTHERS,
    SOURCE,
    STATIONARY,
    STILL,
    apart,
    normalised,
)
from twin.experiments.findings.f5.holdout import sized
from twin.experiments.findings.kit.arms import Arm, because
from twin.experiments.findings.kit.claims import Claim, exact, sign, vanishes
from twin.experiments.findings.kit.declare import Part
from twin.experiments.findings.kit.readings import Readings

FRESH, STALE = "1h", "1d"


def _sync_arms(control: str = "") -> list[Arm]:
    return [
        Arm(name, hours, {"recommender.sync_every": name}, control)
        for name, hours in ((FRESH, 1.0), (STALE, 24.0))
    ]


def judge_sync(seen: Readings) -> list[Claim]:
    """A fresher model predicts better while posts keep coming, and no better where nothing is
    new."""
    worse = sign(
        f"worlds, one sync a day less one an hour: {AUC.words}",
        seen.effect(STALE, FRESH, AUC),
        -1,
        SOURCE,
        matters=AUC.matters,
    )
    rises = sign(
        f"worlds, one sync a day less one an hour: {ENTROPY}",
        normalised(seen, STALE) - normalised(seen, FRESH),
        1,
        SOURCE,
        matters=NE_MATTERS,
    )
    still = "nothing new, after a warm-up: one sync a day less one an hour, {}"
    return [
        worse,
        exact(
            "what both copies are judged on, at most over worlds: difference of impressions, their "
            "click rate, and the best AUC there",
            apart(seen, STALE, FRESH),
            0.0,
            "the same impressions",
            of=worse,
        ),
        vanishes(
            still.format(AUC.words),
            seen.effect(f"{STILL}/{STALE}", f"{STILL}/{FRESH}", AUC),
            worse,
        ),
        rises,
        vanishes(
            still.format(ENTROPY),
            normalised(seen, f"{STILL}/{STALE}") - normalised(seen, f"{STILL}/{FRESH}"),
            rises,
        ),
    ]


SYNC = Part(
    "sync",
    "How fresh the served model is",
    varies="hours between two syncs",
    judge=judge_sync,
    arms=(*_sync_arms(), *_sync_arms(STILL)),
    outcomes=(AUC, LOSS, GLAD),
    world=OTHERS
    | BLIND
    | because(
        "online training, judged once a day",
        recommender__training="online",
        recommender__retrain_every="1d",
    ),
    controls={STILL: STATIONARY},
    full=sized(8, 40, 1000, 150, 2, warm_up=30),
    quick=sized(4, 5, 400, 60, 1, warm_up=5),
    doses=True,
    log_dose=True,
)
