"""Finding 5 in worlds: what collisions cost the model, judged on a holdout of random exposure.

All worlds have the feed without a model (`twin.experiments.findings.f5.arms`): those of one
replicate show the same posts to the same people, who click the same, whatever the tables. So two
tables learn from one log and are judged on the same impressions, to the last one. This is asked of
the worlds themselves, as a control.

*As IDs arrive.* The damage in the last quarter less that in the first. A model that is still
learning loses more and more by collisions even where no ID is new. So worlds warm up first, and in
the control, after a warm-up of its own, no ID is new.

"Hardest on the popular" is read both ways, as FINDINGS corrects it: as traffic at risk, and as
damage to each ID.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from twin.experiments.findings.f5.arms import (
    AUC,
    BLIND,
    CORRECTED,
    ENTROPY,
    GLAD,
    LOSS,
    NE_MATTERS,
    OTHERS,
    QUARTERS,
    SLOTS,
    SOURCE,
    STATIONARY,
    STILL,
    apart,
    hashed,
    normalised,
    own_rows,
    size,
    tables,
)
from twin.experiments.findings.kit import means
from twin.experiments.findings.kit.arms import Arm, Curve, Outcome, Size, because
from twin.experiments.findings.kit.claims import Claim, Matters, band, exact, sign, vanishes
from twin.experiments.findings.kit.declare import Part
from twin.experiments.findings.kit.means import interval
from twin.experiments.findings.kit.readings import Readings

NONE, SALT, WIDE = "no collisions", "other salt", "wide"
EXACT = f"{NONE}/collisionless"
MANY = 2**19
"""Slots of a wide table: of 2,000 IDs about four pairs meet."""


def _hurt(seen: Readings, arm: str, metric: Outcome) -> NDArray[np.float64]:
    """Difference to collisionless tables (replicates, windows)."""
    return seen.over_time(arm, metric) - seen.over_time(EXACT, metric)


def _grown(hurt: NDArray[np.float64]) -> NDArray[np.float64]:
    """The last quarter less the first (replicates,)."""
    return hurt[:, len(QUARTERS) - 1] - hurt[:, 0]


def judge(seen: Readings) -> list[Claim]:
    """Damage by load and over time, with its controls, and whom it hurts."""
    return [*_damage(seen), *_growth(seen), *_entropy(seen), *_buckets(seen)]


def _damage(seen: Readings) -> list[Claim]:
    """What collisions do to the AUC, late in the run."""
    last = {slots: _hurt(seen, str(slots), AUC)[:, -1] for slots in SLOTS}
    main = sign(
        f"{AUC.words}: hash less collisionless, 256 slots",
        last[256],
        -1,
        SOURCE,
        matters=AUC.matters,
        primary=True,
    )
    return [
        main,
        exact(
            "what both tables are judged on, at most over worlds and time: difference of "
            "impressions, their click rate, and the best AUC there",
            apart(seen, "256", EXACT),
            0.0,
            "the same impressions",
            of=main,
        ),
        vanishes(
            f"another salt, 256 slots: {AUC.words}, one salt less the other",
            seen.effect(f"{SALT}/256", "256", AUC),
            main,
        ),
        vanishes(
            f"tables so wide that hardly any IDs meet: {AUC.words}, less collisionless",
            _hurt(seen, f"{WIDE}/wide", AUC)[:, -1],
            main,
        ),
        sign(
            f"{AUC.words}: hash less collisionless, per sd of log load",
            means.slope(np.log(1 / np.array(SLOTS)), np.array(list(last.values()))),
            -1,
            SOURCE,
            matters=AUC.matters,
        ),
    ]


def _growth(seen: Readings) -> list[Claim]:
    """How the loss of AUC grows as IDs arrive, and that it does not where none do."""
    grows = sign(
        f"{AUC.words}: the damage at 256 slots, the last quarter less the first, as IDs arrive",
        _grown(_hurt(seen, "256", AUC)),
        -1,
        SOURCE,
        matters=AUC.matters,
        primary=True,
    )
    still = seen.over_time(f"{STILL}/256", AUC) - seen.over_time(f"{STILL}/collisionless", AUC)
    return [
        grows,
        vanishes(
            f"nothing new, after a warm-up: {AUC.words}, the damage at 256 slots, the last quarter "
            f"less the first",
            _grown(still),
            grows,
        ),
        vanishes(
            f"tables so wide that hardly any IDs meet: {AUC.words}, less collisionless, the last "
            f"quarter less the first",
            _grown(_hurt(seen, f"{WIDE}/wide", AUC)),
            grows,
        ),
        sign(
            f"nothing new, after a warm-up: {AUC.words}, hash less collisionless, 256 slots",
            still[:, -1],
            -1,
            SOURCE,
            matters=AUC.matters,
            aside=True,
        ),
    ]


def _entropy(seen: Readings) -> list[Claim]:
    """The log loss over the entropy of the click rate, on the same holdout."""
    # Impressions are the same, so differences are those of the tables alone.
    own = normalised(seen, EXACT)
    rises = {
        slots: sign(
            f"{ENTROPY}: hash less collisionless, {slots} slots",
            normalised(seen, str(slots)) - own,
            1,
            SOURCE,
            matters=NE_MATTERS,
        )
        for slots in SLOTS
    }
    return [
        *rises.values(),
        vanishes(
            f"another salt, 256 slots: {ENTROPY}, one salt less the other",
            normalised(seen, f"{SALT}/256") - normalised(seen, "256"),
            rises[256],
        ),
        vanishes(
            f"tables so wide that hardly any IDs meet: {ENTROPY}, less collisionless",
            normalised(seen, f"{WIDE}/wide") - own,
            rises[256],
        ),
    ]


def _buckets(seen: Readings) -> list[Claim]:
    """Whom collisions hurt: the damage by frequency of the ID, and the traffic at risk."""
    # By frequency of the person: incidence is the same for all, the damage is not.
    rare, often = (
        seen.of("1024", "table_foreign_gradient", entity="consumer", decile=tenth)
        for tenth in ("1", "10")
    )
    return [
        sign(
            "1024 slots: foreign share of gradients, rarest less most frequent tenth of people",
            rare - often,
            1,
            CORRECTED,
            matters=Matters(0.01, "assumption: one gradient in a hundred is that of another ID"),
        ),
        band(
            "1024 slots: traffic on shared rows less IDs on shared rows, people (incidence does "
            "not depend on frequency)",
            seen.of("1024", "table_shared_traffic", entity="consumer")
            - seen.of("1024", "table_sharing", entity="consumer"),
            (-0.1, 0.1),
            "expected 0; active people are fewer than living ones, which lowers it",
            aside=True,
        ),
    ]


def _load(seen: Readings, slots: int) -> NDArray[np.float64]:
    """Living people per slot of their table (windows,)."""
    return np.asarray(
        seen.over_time(str(slots), "table_ids", entity="consumer").mean(0) / slots, np.float64
    )


def curves(seen: Readings) -> list[Curve]:
    """Damage over table load, as people arrive."""
    made = []
    for metric in (AUC, LOSS):
        for slots in SLOTS:
            hurt = _hurt(seen, str(slots), metric)[:, : len(QUARTERS)]
            middle, low, high = np.array([interval(v) for v in hurt.T]).T.tolist()
            made.append(
                Curve(
                    f"{metric.words}: hash less collisionless",
                    f"{slots} slots",
                    x=_load(seen, slots)[: len(QUARTERS)].tolist(),
                    y=middle,
                    low=low,
                    high=high,
                    x_label="living people per slot",
                    y_label="difference",
                    log_x=True,
                )
            )
    return made


KEPT = {
    path: (value, "isolates the mechanism: rows are never recycled, with collisions or without")
    for path, value in tables(expire_after="0s").items()
}
ONE_ROW_EACH = {
    path: (value, "control: one row each") for path, value in tables(kind="collisionless").items()
}


def sized(
    replicates: int, days: int, people: int, creators: int, arrivals: float, warm_up: int
) -> Size:
    """`size` after a warm-up of so many days, in all worlds of a part."""
    made = size(replicates, days, people, creators, arrivals)
    own = because(
        "what a model loses while it is still learning is not what arrivals do: worlds with and "
        "without arrivals have learned for as long",
        warm_up=f"{warm_up}d",
    )
    return replace(made, sets={**made.sets, **own})


PART = Part(
    "holdout",
    "Fixed tables as people and posts arrive, judged on the same random impressions",
    varies="slots of each table, under a feed without a model",
    judge=judge,
    arms=(
        *(hashed(slots) for slots in SLOTS),
        own_rows(NONE),
        hashed(256, SALT),
        # Hash tables like those of the experiment, with collisions made rare.
        Arm("wide", MANY, {}, WIDE),
        hashed(256, STILL),
        own_rows(STILL),
    ),
    outcomes=(AUC, LOSS, GLAD),
    world=OTHERS | KEPT | BLIND,
    controls={
        NONE: ONE_ROW_EACH,
        SALT: {
            path: (value, "control: another hash of the same kind")
            for path, value in tables(salt=1).items()
        },
        WIDE: {
            path: (
                value,
                "control: so many slots that hardly any two IDs share one (posts are too many for "
                "that and keep a row each)",
            )
            for path, value in tables(kind="hash", slots=MANY).items()
            if ".post." not in path
        },
        STILL: STATIONARY,
    },
    full=sized(16, 72, 1000, 150, 15, warm_up=30),
    quick=sized(4, 12, 500, 60, 40, warm_up=7),
    windows=(*QUARTERS, (0.5, 1.0)),
    curves=curves,
    doses=True,
    log_dose=True,
)
