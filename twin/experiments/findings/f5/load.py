"""Finding 5 in a closed loop: what people and creators meet where every table serves its own feed.

Each feed shows what its own model thinks well of, so the impressions of two tables differ, and so
do their labels: how well the models predict is asked in `twin.experiments.findings.f5.holdout`. No
source gives signs here; all of it is reported only.
"""

from __future__ import annotations

from twin.experiments.findings.f5.arms import (
    AUC,
    GINI,
    GLAD,
    MATCH,
    OTHERS,
    SLOTS,
    hashed,
    own_rows,
    size,
)
from twin.experiments.findings.f5.holdout import EXACT, KEPT, NONE, ONE_ROW_EACH
from twin.experiments.findings.kit.arms import because
from twin.experiments.findings.kit.claims import Claim, moves
from twin.experiments.findings.kit.declare import Part
from twin.experiments.findings.kit.readings import Readings


def judge_load(seen: Readings) -> list[Claim]:
    """What consumers and creators meet, and the AUC on each feed's own random slots."""
    return [
        moves(
            f"closed loop, {metric.words}: hash less collisionless, 256 slots",
            seen.effect("256", EXACT, metric),
            "no source, reported",
            matters=metric.matters,
            aside=True,
        )
        for metric in (MATCH, GINI, AUC)
    ]


LOAD = Part(
    "load",
    "Fixed tables in a closed loop",
    varies="slots of each table",
    judge=judge_load,
    arms=(*(hashed(slots) for slots in SLOTS), own_rows(NONE)),
    outcomes=(MATCH, GLAD, GINI, AUC),
    world=OTHERS
    | KEPT
    | because(
        "a holdout of uniform draws to judge the model on, few so that the feed is its own",
        recommender__random_share="0.1",
    ),
    controls={NONE: ONE_ROW_EACH},
    full=size(8, 60, 1000, 150, 10),
    quick=size(4, 8, 400, 60, 20),
    doses=True,
    log_dose=True,
    both_ends=(GINI, MATCH),
)
