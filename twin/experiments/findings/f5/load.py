"""Finding 5 in worlds: hash tables of fixed size while people and posts keep arriving.

"Hardest on the popular" is read both ways, as FINDINGS corrects it: as traffic at risk, and as
damage to each ID.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from twin.experiments.findings.f5.arms import (
    AUC,
    CORRECTED,
    GINI,
    GLAD,
    LOSS,
    LOSSES,
    MATCH,
    OTHERS,
    QUARTERS,
    SLOTS,
    SOURCE,
    size,
    tables,
)
from twin.experiments.findings.kit import means
from twin.experiments.findings.kit.arms import Arm, Curve, Outcome
from twin.experiments.findings.kit.claims import Claim, Matters, band, moves, sign, vanishes
from twin.experiments.findings.kit.declare import Part
from twin.experiments.findings.kit.means import interval
from twin.experiments.findings.kit.readings import Readings

EXACT = "no collisions/collisionless"


def _hashed(name: str, slots: int, control: str = "", **more: object) -> Arm:
    return Arm(name, slots, tables(kind="hash", slots=slots, **more), control)


def _hurt(seen: Readings, arm: str, metric: Outcome) -> NDArray[np.float64]:
    """Difference to collisionless tables (replicates, windows)."""
    return seen.over_time(arm, metric) - seen.over_time(EXACT, metric)


def _normalised(seen: Readings, arm: str) -> NDArray[np.float64]:
    """Log loss of clicks over that of a model that knows the click rate alone, in the last window
    (replicates,): normalised entropy, He et al., ADKDD 2014."""
    # The board counts responses and impressions by creators' kind.
    clicks = sum(seen.of(arm, "responses", head="click", by=by) for by in ("human", "ai"))
    shown = sum(seen.of(arm, "impressions", by=by) for by in ("human", "ai"))
    rate = np.asarray(clicks / shown, np.float64)
    return np.asarray(
        seen.of(arm, LOSS) / -(rate * np.log(rate) + (1 - rate) * np.log(1 - rate)), np.float64
    )


def _load(seen: Readings, slots: int) -> NDArray[np.float64]:
    """Living people per slot of their table (windows,)."""
    return np.asarray(
        seen.over_time(str(slots), "table_ids", entity="consumer").mean(0) / slots, np.float64
    )


def judge_load(seen: Readings) -> list[Claim]:
    """Damage by load and over time, with its controls; what consumers meet; and whom it hurts."""
    return [
        *_damage(seen, AUC, -1, aside=False),
        # In a closed loop a worse feed draws fewer clicks, and rarer clicks have a lower log loss
        # whatever the model. So the loss is reported, and counted over the entropy of the clicks.
        *_damage(seen, LOSS, 1, aside=True),
        *_met(seen),
        *_entropy(seen),
        *_judge_buckets(seen),
    ]


def _damage(seen: Readings, metric: Outcome, way: int, aside: bool) -> list[Claim]:
    """What collisions do to one measure of the model."""
    hurt = {slots: _hurt(seen, str(slots), metric) for slots in SLOTS}
    # Windows 0 to 3 are the quarters, the last one is the second half.
    last = [hurt[slots][:, -1] for slots in SLOTS]
    wide = _hurt(seen, "wide/wide", metric)
    main, grows = (
        sign(
            f"{metric.words}: {what}",
            values,
            way,
            SOURCE,
            matters=metric.matters,
            primary=not aside,
            aside=aside,
        )
        for what, values in (
            ("hash less collisionless, 256 slots", hurt[256][:, -1]),
            # Averaged over table sizes, so that the claim does not depend on one of them.
            (
                "the damage in the last quarter less the first, as IDs arrive",
                np.mean([hurt[slots][:, 3] - hurt[slots][:, 0] for slots in SLOTS], axis=0),
            ),
        )
    )
    return [
        main,
        grows,
        sign(
            f"{metric.words}: hash less collisionless, per sd of log load",
            means.slope(np.log(1 / np.array(SLOTS)), np.array(last)),
            way,
            SOURCE,
            matters=metric.matters,
            aside=aside,
        ),
        vanishes(
            f"another salt, 256 slots: {metric.words}, one salt less the other",
            seen.effect("other salt/256", "256", metric),
            main,
        ),
        vanishes(
            f"tables so wide that no IDs meet: {metric.words}, less collisionless",
            wide[:, -1],
            main,
        ),
        vanishes(
            f"tables so wide that no IDs meet: {metric.words}, less collisionless, the last "
            f"quarter less the first",
            wide[:, 3] - wide[:, 0],
            grows,
        ),
    ]


def _met(seen: Readings) -> list[Claim]:
    """What consumers and creators meet, with a control each; no source gives a sign."""
    made = []
    for metric in (MATCH, GINI):
        claim = moves(
            f"{metric.words}: hash less collisionless, 256 slots",
            seen.effect("256", EXACT, metric),
            "no source, reported",
            matters=metric.matters,
            aside=True,
        )
        control = vanishes(
            f"tables so wide that no IDs meet: {metric.words}, less collisionless",
            seen.effect("wide/wide", EXACT, metric),
            claim,
        )
        made += [claim, control]
    return made


def _entropy(seen: Readings) -> list[Claim]:
    """The log loss over the entropy of the click rate."""
    # Paired with the same world without collisions, so differences are those of the tables.
    own = _normalised(seen, EXACT)
    rises = {
        slots: sign(
            f"log loss over the entropy of the click rate: hash less collisionless, {slots} slots",
            _normalised(seen, str(slots)) - own,
            1,
            SOURCE,
            matters=LOSSES,
        )
        for slots in SLOTS
    }
    return [
        *rises.values(),
        vanishes(
            "tables so wide that no IDs meet: log loss over the entropy of the click rate, less "
            "collisionless",
            _normalised(seen, "wide/wide") - own,
            rises[256],
        ),
    ]


def _judge_buckets(seen: Readings) -> list[Claim]:
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
            "not "
            "depend on frequency)",
            seen.of("1024", "table_shared_traffic", entity="consumer")
            - seen.of("1024", "table_sharing", entity="consumer"),
            (-0.1, 0.1),
            "expected 0; active people are fewer than living ones, which lowers it",
            aside=True,
        ),
    ]


def load_curves(seen: Readings) -> list[Curve]:
    """Damage over table load, as people arrive."""
    made = []
    for metric in (AUC, LOSS):
        for slots in SLOTS:
            middle, low, high = np.array(
                [interval(v) for v in _hurt(seen, str(slots), metric)[:, :4].T]
            ).T.tolist()
            made.append(
                Curve(
                    f"{metric.words}: hash less collisionless",
                    f"{slots} slots",
                    x=_load(seen, slots)[:4].tolist(),
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
LOAD = Part(
    "load",
    "Fixed tables as people and posts arrive",
    varies="slots of each table",
    judge=judge_load,
    arms=(
        *(_hashed(str(slots), slots) for slots in SLOTS),
        Arm("collisionless", math.nan, {}, "no collisions"),
        _hashed("256", 256, "other salt"),
        # Hash tables like those of the experiment, with collisions made so rare that none occur.
        Arm("wide", 2**22, {}, "wide"),
    ),
    outcomes=(AUC, LOSS, MATCH, GLAD, GINI),
    world=OTHERS | KEPT,
    controls={
        "no collisions": {
            path: (value, "control: one row each")
            for path, value in tables(kind="collisionless").items()
        },
        "other salt": {
            path: (value, "control: another hash of the same kind")
            for path, value in tables(salt=1).items()
        },
        "wide": {
            path: (
                value,
                "control: so many slots that no two IDs share one (posts are too many for that "
                "and keep a row each)",
            )
            for path, value in tables(kind="hash", slots=2**22).items()
            if ".post." not in path
        },
    },
    full=size(8, 360, 1000, 200, 10, "6h"),
    quick=size(4, 40, 400, 80, 10, "6h"),
    windows=(*QUARTERS, (0.5, 1.0)),
    curves=load_curves,
    doses=True,
    log_dose=True,
    both_ends=(GINI, MATCH),
)
