"""F5: collisions of IDs in fixed tables hurt under power-law traffic, worsen as new IDs arrive, and
a stale served model predicts worse.

Worlds: hash tables for people, posts and creators against one row each; nothing is recycled in
either, so that collisions are all that differs. Studies: Monolith's table 1 to the last ID; damage
by frequency; sync intervals on a stream that drifts and on one that does not. Evidence: validated
(exact numbers). "Lands hardest on the popular" is read both ways, as FINDINGS corrects it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from twin.experiments.findings.kit import judging
from twin.experiments.findings.kit.arms import Arm, Curve, Outcome, Size, Study, because, smaller
from twin.experiments.findings.kit.declare import Finding, Part
from twin.experiments.findings.kit.judging import (
    Claim,
    afterwards,
    band,
    exact,
    interval,
    sign,
    vanishes,
)
from twin.experiments.findings.kit.readings import Readings

SOURCE = "Monolith, Liu et al. 2209.07663"
CORRECTED = "FINDINGS F5, correction by frequency"
SHARE = 24_463 / 162_541
SLOTS = (4096, 1024, 256, 64)
ENTITIES = ("consumer", "post", "creator")
QUARTERS = tuple((i / 4, (i + 1) / 4) for i in range(4))
HOURS = (0.5, 1.0, 5.0, 24.0)
EXACT = "no collisions/collisionless"

AUC = Outcome("model_auc", "producer", "progressive AUC of clicks", {"head": "click"})
LOSS = Outcome("model_log_loss", "producer", "progressive log loss of clicks", {"head": "click"})
MATCH = Outcome("shown_match", "consumer", "match of what is shown to taste")
GLAD = Outcome("enjoyed_per_session", "consumer", "posts per session that people are glad of")
GINI = Outcome("exposure_gini", "producer", "Gini of reach across creators")
OTHERS = because(
    "not part of this experiment",
    ratings__enabled="false",
    campaigns__enabled="false",
    chatbots__enabled="false",
    opinions__enabled="false",
)


def _tables(**what: object) -> dict[str, str]:
    return {
        f"recommender.tables.{entity}.{key}": str(value)
        for entity in ENTITIES
        for key, value in what.items()
    }


def _size(
    replicates: int, days: int, people: int, creators: int, arrivals: float, every: str
) -> Size:
    return smaller(
        replicates,
        days,
        people,
        creators,
        because("time scale: IDs of years arrive in the run", audience__arrivals=f"{arrivals:g}/d"),
        creators__human__arrivals=f"{creators / 2000:g}/d",
        creators__ai__initial=str(creators // 30),
        creators__ai__arrivals="0/d",
        metrics__every=every,
    )


def _hashed(name: str, slots: int, control: str = "", **more: object) -> Arm:
    return Arm(name, slots, _tables(kind="hash", slots=slots, **more), control)


def _hurt(seen: Readings, arm: str, metric: Outcome) -> NDArray[np.float64]:
    """Difference to collisionless tables (replicates, windows)."""
    return seen.over_time(arm, metric) - seen.over_time(EXACT, metric)


def _normalised(seen: Readings, arm: str) -> NDArray[np.float64]:
    """Log loss of clicks over that of who knows the click rate alone, in the last window
    (replicates,): normalised entropy, He et al., ADKDD 2014."""
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
    """Damage by load, over time, and the controls."""
    made = []
    doses = np.log(1 / np.array(SLOTS))
    for metric, way in ((AUC, -1), (LOSS, 1)):
        hurt = {slots: _hurt(seen, str(slots), metric) for slots in SLOTS}
        made.append(
            sign(
                f"{metric.words}: hash less collisionless, 256 slots", hurt[256][:, -1], way, SOURCE
            )
        )
        made.append(
            sign(
                f"{metric.words}: hash less collisionless, per sd of log load",
                judging.slope(doses, np.array([hurt[slots][:, -1] for slots in SLOTS])),
                way,
                SOURCE,
            )
        )
        grows = np.mean([hurt[slots][:, 3] - hurt[slots][:, 0] for slots in SLOTS], axis=0)
        made.append(
            sign(
                f"{metric.words}: the damage in the last quarter less the first, as IDs arrive",
                grows,
                way,
                SOURCE,
            )
        )
        salt = seen.effect("other salt/256", "256", metric)
        made.append(
            vanishes(
                f"another salt, 256 slots: {metric.words}, one salt less the other",
                salt,
                hurt[256][:, -1],
            )
        )
        made.append(
            vanishes(
                f"tables so wide that no IDs meet: {metric.words}, less collisionless",
                seen.effect("wide/wide", EXACT, metric),
                hurt[256][:, -1],
            )
        )
    for metric in (MATCH, GINI):
        made.append(
            vanishes(
                f"tables so wide that no IDs meet: {metric.words}, less collisionless",
                seen.effect("wide/wide", EXACT, metric),
                seen.effect("256", EXACT, metric),
            )
        )
    own = _normalised(seen, EXACT)
    for slots in SLOTS:
        made.append(
            afterwards(
                sign(
                    f"log loss over the entropy of the click rate: hash less collisionless, "
                    f"{slots} slots",
                    _normalised(seen, str(slots)) - own,
                    1,
                    SOURCE,
                )
            )
        )
    made.append(
        afterwards(
            vanishes(
                "tables so wide that no IDs meet: log loss over the entropy of the click rate, "
                "less collisionless",
                _normalised(seen, "wide/wide") - own,
                _normalised(seen, "256") - own,
            )
        )
    )
    made.append(
        sign(
            f"{MATCH.words}: hash less collisionless, 256 slots",
            seen.effect("256", EXACT, MATCH),
            -1,
            "what people meet: no source, reported",
            aside=True,
        )
    )
    return [*made, *_judge_buckets(seen)]


def _judge_buckets(seen: Readings) -> list[Claim]:
    """Whom it hurts in the world: both readings, reported."""
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
        ),
        band(
            "1024 slots: traffic on shared rows less IDs on shared rows, people (incidence knows "
            "no frequency)",
            seen.of("1024", "table_shared_traffic", entity="consumer")
            - seen.of("1024", "table_sharing", entity="consumer"),
            -0.1,
            0.1,
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
                    _load(seen, slots)[:4].tolist(),
                    middle,
                    low,
                    high,
                    "living people per slot",
                    "difference",
                    True,
                )
            )
    return made


def _sync_arms(control: str = "") -> list[Arm]:
    return [
        Arm(name, hours, {"recommender.sync_every": name}, control)
        for name, hours in zip(("30min", "1h", "5h", "1d"), HOURS, strict=True)
    ]


def judge_sync(seen: Readings) -> list[Claim]:
    """The fresher the better where posts keep coming; no matter where nothing is new."""
    made = []
    for metric, way in ((AUC, -1), (LOSS, 1)):
        hours, values = seen.doses(metric)
        effect = judging.slope(np.log(hours), values)
        made.append(sign(f"{metric.words}, per sd of the log sync interval", effect, way, SOURCE))
        made.append(
            vanishes(
                f"nothing new: {metric.words}, per sd of the log sync interval",
                judging.slope(np.log(hours), seen.doses(metric, "nothing new")[1]),
                effect,
            )
        )
    return made


def _studies(quick: bool) -> list[Study]:
    orders, burn, days, streams = (48, 100, 20, 8) if quick else (192, 300, 60, 32)
    stream = {"burn": burn, "days": days, "streams": streams}
    return [
        Study("table 1", "f5.studies:table_1"),
        Study("loads", "f5.studies:loads"),
        *(
            Study(
                f"zipf {exponent:g}", "f5.studies:damage", {"exponent": exponent, "orders": orders}
            )
            for exponent in (0.0, 1.0, 1.2)
        ),
        Study(
            "own rows", "f5.studies:damage", {"exponent": 1.0, "orders": 2, "kind": "collisionless"}
        ),
        Study("drift", "f5.studies:sync", {"drift": 0.3, **stream}),
        Study("stationary", "f5.studies:sync", {"drift": 0.0, **stream}),
    ]


def judge_static(seen: Readings) -> list[Claim]:
    """Exact counts, both readings of whom collisions hurt, and sync intervals on a stream."""
    users, movies = seen.study("table 1")
    made = [
        exact(f"MD5 modulo a million: {what}", got, want, f"{SOURCE}, table 1; FINDINGS F5")
        for what, got, want in (
            ("distinct slots of users", users[0], 149_970),
            ("users who share one", users[1], 24_463),
            ("fullest slot of users", users[2], 5),
            ("distinct slots of movies", movies[0], 57_361),
            ("movies that share one", movies[1], 3340),
        )
    ]
    load, shared = seen.study("loads")
    made.append(
        exact(
            "share of IDs on shared slots less 1 - exp(-n/M), largest over loads .05 to 2",
            np.abs(shared + np.expm1(-load)).max(),
            0.0,
            "occupancy",
            within=0.01,
        )
    )
    even = seen.study("zipf 0")
    for exponent, top, bottom in ((1.0, 0.004, 0.097), (1.2, 0.003, 0.099)):
        got, zipf = seen.study(f"zipf {exponent:g}"), f"Zipf {exponent:g}"
        made += [
            band(
                f"{zipf}: foreign gradients of the top 1 % of IDs (per-ID damage)",
                got[:, 1],
                top - 0.002,
                top + 0.002,
                CORRECTED,
            ),
            band(
                f"{zipf}: foreign gradients of the bottom half of IDs (per-ID damage)",
                got[:, 2],
                bottom - 0.003,
                bottom + 0.003,
                CORRECTED,
            ),
            sign(
                f"{zipf}, per-ID damage: the bottom half less the top 1 %",
                got[:, 2] - got[:, 1],
                1,
                CORRECTED,
            ),
            sign(
                f"{zipf}, traffic-weighted risk: traffic on shared slots of the top 1 % less that "
                f"of the bottom half",
                got[:, 3] - got[:, 4],
                1,
                CORRECTED,
            ),
            vanishes(
                f"{zipf}: traffic on shared slots less the share of IDs (incidence knows no "
                f"frequency)",
                got[:, 0] - SHARE,
                np.full(len(got), SHARE),
            ),
            sign(
                f"{zipf}: how far traffic on shared slots strays from its mean, beyond uniform "
                f"traffic",
                np.abs(got[:, 0] - SHARE) - np.abs(even[:, 0] - SHARE),
                1,
                CORRECTED,
            ),
        ]
    steep = seen.study("zipf 1")
    made.append(
        vanishes(
            "uniform traffic: per-ID damage, the bottom half less the top 1 %",
            even[:, 2] - even[:, 1],
            steep[:, 2] - steep[:, 1],
        )
    )
    made.append(
        exact("own rows: any damage at all", np.abs(seen.study("own rows")).max(), 0.0, "control")
    )
    for place, what, way in ((0, "AUC", -1), (1, "log loss", 1)):
        drift, still = (
            judging.slope(np.log(HOURS), seen.study(name)[:, :, place].T)
            for name in ("drift", "stationary")
        )
        made.append(
            sign(
                f"a stream that drifts: {what}, per sd of the log sync interval", drift, way, SOURCE
            )
        )
        made.append(
            vanishes(f"a stationary stream: {what}, per sd of the log sync interval", still, drift)
        )
    return made


def static_curves(seen: Readings) -> Sequence[Curve]:
    """Foreign share by frequency, and AUC by sync interval."""
    made = []
    for name in ("zipf 0", "zipf 1", "zipf 1.2"):
        got = seen.study(name)[:, 6:]
        made.append(
            Curve(
                "Foreign share of gradients by frequency of the ID",
                name,
                list(range(1, 11)),
                got.mean(0).tolist(),
                got.min(0).tolist(),
                got.max(0).tolist(),
                "tenth of IDs, rarest first",
                "foreign share",
            )
        )
    for name in ("drift", "stationary"):
        change = seen.study(name)[:, :, 0] - seen.study(name)[:, :1, 0]
        middle, low, high = np.array([interval(v) for v in change.T]).T.tolist()
        made.append(
            Curve(
                "AUC by sync interval, less that of 30 min",
                name,
                HOURS,
                middle,
                low,
                high,
                "hours",
                "AUC",
                True,
                name == "stationary",
            )
        )
    return made


STATIC = Part(
    "static",
    "Counts, frequency and freshness without a world",
    "hash, traffic, sync interval",
    judge_static,
    studies=_studies,
    curves=static_curves,
)
KEPT = {
    path: (value, "isolates the mechanism: rows are never recycled, with collisions or without")
    for path, value in _tables(expire_after="0s").items()
}
LOAD = Part(
    "load",
    "Fixed tables as people and posts arrive",
    "slots of each table",
    judge_load,
    arms=(
        *(_hashed(str(slots), slots) for slots in SLOTS),
        Arm("collisionless", math.nan, {}, "no collisions"),
        _hashed("256", 256, "other salt"),
        Arm("wide", 2**22, {}, "wide"),
    ),
    outcomes=(AUC, LOSS, MATCH, GLAD, GINI),
    world=OTHERS | KEPT,
    controls={
        "no collisions": {
            path: (value, "control: one row each")
            for path, value in _tables(kind="collisionless").items()
        },
        "other salt": {
            path: (value, "control: another hash of the same kind")
            for path, value in _tables(salt=1).items()
        },
        "wide": {
            path: (
                value,
                "control: so many slots that no two IDs meet (posts, too many for that, keep a row "
                "each)",
            )
            for path, value in _tables(kind="hash", slots=2**22).items()
            if ".post." not in path
        },
    },
    full=_size(8, 360, 1000, 200, 10, "6h"),
    quick=_size(4, 40, 400, 80, 10, "6h"),
    windows=(*QUARTERS, (0.5, 1.0)),
    curves=load_curves,
    doses=True,
    log_dose=True,
    both_ends=(GINI, MATCH),
)
STOP = "[{name: nothing new, at: 10d, set: {creators.ai_posts_cap: 0}}]"
SYNC = Part(
    "sync",
    "How fresh the served model is",
    "hours between two syncs",
    judge_sync,
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
    full=_size(16, 120, 1000, 200, 2, "1d"),
    quick=_size(4, 30, 400, 80, 1, "1d"),
    windows=((0.5, 1.0),),
    doses=True,
    log_dose=True,
)

FINDING = Finding(
    "F5",
    "Collisions of IDs",
    "Hash collisions in fixed tables hurt, under power-law traffic, and worsen as new IDs arrive.",
    "validated",
    (
        "Liu et al., Monolith, arXiv 2209.07663",
        "FINDINGS F5: exact reproduction of table 1, correction by frequency",
    ),
    (STATIC, LOAD, SYNC),
    "Whom collisions hurt has two readings. Traffic at risk is where the traffic is: a frequent ID "
    "that shares a row puts much of it at "
    "risk. The vector of an ID is spoilt by others where the ID is rare. 'Hardest on the popular' "
    "holds for the first, not for the second. "
    "Collisions lower the AUC and the log loss at once, and the second refutes the rule as it was "
    "declared. In a closed loop the labels "
    "change with the feed: a worse one draws fewer clicks, and rarer clicks have a lower log loss. "
    "Over the entropy of the click rate the "
    "loss rises with the load; this was added after the full set was seen, so it is reported and "
    "does not count. Where nothing new comes "
    "the age of the served copy should not matter; in worlds of weeks the model still learns its "
    "people, so this control may not vanish. "
    "No rule was changed after that was seen.",
)
