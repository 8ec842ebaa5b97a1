"""Finding 5 without a world: Monolith's table 1, whom collisions hurt by frequency, and sync
intervals on a stream of clicks.

The calculations are in `twin.experiments.findings.f5.studies`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from twin.experiments.findings.f5.arms import (
    AUC_MATTERS,
    CORRECTED,
    HOURS,
    LOSS_MATTERS,
    SOURCE,
)
from twin.experiments.findings.f5.studies import DAMAGE_FIELDS, SlotCounts
from twin.experiments.findings.kit import means
from twin.experiments.findings.kit.arms import Curve, Study
from twin.experiments.findings.kit.claims import Claim, Matters, band, exact, sign, vanishes
from twin.experiments.findings.kit.declare import Part
from twin.experiments.findings.kit.means import Array, interval
from twin.experiments.findings.kit.readings import Readings

SHARE = 24_463 / 162_541
"""Share of the users of table 1 whose slot is shared."""
INCIDENCE = 0.15 * SHARE
"""By how much the traffic on shared slots may differ from that."""
FOREIGN = Matters(0.01, "assumption: one gradient in a hundred is that of another ID")
TRAFFIC = Matters(0.01, "assumption: one impression in a hundred")


class Zipf(NamedTuple):
    """An exponent of traffic, and the foreign share of gradients that FINDINGS computed for the top
    1 % and the bottom half of IDs."""

    exponent: float
    top: float
    bottom: float

    @property
    def name(self) -> str:
        """What its study is called."""
        return f"zipf {self.exponent:g}"


SKEWED = (Zipf(1.0, 0.004, 0.097), Zipf(1.2, 0.003, 0.099))


class Damage(NamedTuple):
    """Fields of `studies.damage` over random orders of IDs, (orders,) each; deciles (orders,
    10)."""

    shared_traffic: Array
    foreign_top: Array
    foreign_bottom: Array
    risk_top: Array
    risk_bottom: Array
    foreign_all: Array
    deciles: Array


def studies(quick: bool) -> list[Study]:
    """Table 1, loads, damage under three kinds of traffic, and streams with and without drift."""
    orders, burn, days, streams = (12, 24, 6, 4) if quick else (96, 100, 30, 16)
    stream = {"burn": burn, "days": days, "streams": streams}
    # Two orders are enough where every number has to be exactly zero.
    own = {"exponent": 1.0, "orders": 2, "kind": "collisionless"}
    return [
        Study("table 1", "f5.studies:table_1"),
        Study("loads", "f5.studies:loads"),
        *(
            Study(
                f"zipf {exponent:g}", "f5.studies:damage", {"exponent": exponent, "orders": orders}
            )
            for exponent in (0.0, *(zipf.exponent for zipf in SKEWED))
        ),
        Study("own rows", "f5.studies:damage", own),
        Study("drift", "f5.studies:sync", {"drift": 0.3, **stream}),
        Study("stationary", "f5.studies:sync", {"drift": 0.0, **stream}),
    ]


def _damage(seen: Readings, study: str) -> Damage:
    values = seen.study(study)
    return Damage(*(*values[:, :DAMAGE_FIELDS].T, values[:, DAMAGE_FIELDS:]))


def judge_static(seen: Readings) -> list[Claim]:
    """Exact counts, both readings of whom collisions hurt, and sync intervals on a stream."""
    even, none = _damage(seen, "zipf 0"), float(np.abs(seen.study("own rows")).max())
    return [
        *_occupancy(seen),
        *(
            claim
            for zipf in SKEWED
            for claim in _frequency(zipf, _damage(seen, zipf.name), even, none)
        ),
        *(
            claim
            for place, (what, way) in enumerate((("AUC", -1), ("log loss", 1)))
            for claim in _sync(seen, place, what, way)
        ),
    ]


def _occupancy(seen: Readings) -> list[Claim]:
    users, movies = (SlotCounts(*row) for row in seen.study("table 1"))
    counts = [
        exact(f"MD5 modulo a million: {what}", got, want, f"{SOURCE}, table 1; FINDINGS F5")
        for what, got, want in (
            ("distinct slots of users", users.distinct, 149_970),
            ("users who share one", users.sharing, 24_463),
            ("fullest slot of users", users.fullest, 5),
            ("distinct slots of movies", movies.distinct, 57_361),
            ("movies that share one", movies.sharing, 3340),
        )
    ]
    load, shared = seen.study("loads")
    # expm1(-load) is -(1 - exp(-load)) without the loss of digits at small loads.
    largest = np.abs(shared + np.expm1(-load)).max()
    return [
        *counts,
        exact(
            "share of IDs on shared slots less 1 - exp(-n/M), largest over loads .05 to 2",
            largest,
            0.0,
            "occupancy",
            within=0.01,
        ),
    ]


def _frequency(zipf: Zipf, found: Damage, even: Damage, none: float) -> list[Claim]:
    """Rare IDs are damaged more; frequent ones carry more of the traffic at risk. ``even`` is
    uniform traffic, ``none`` the largest damage in a table with a row for each ID."""
    name = f"Zipf {zipf.exponent:g}"
    damaged = sign(
        f"{name}, per-ID damage: foreign share of gradients, the bottom half less the top 1 %",
        found.foreign_bottom - found.foreign_top,
        1,
        CORRECTED,
        matters=FOREIGN,
        # One exponent decides: the other repeats it.
        primary=zipf is SKEWED[0],
    )
    own = [
        vanishes(
            f"uniform traffic, against {name}: per-ID damage, the bottom half less the top 1 %",
            even.foreign_bottom - even.foreign_top,
            damaged,
        ),
        exact(f"own rows, against {name}: any damage at all", none, 0.0, "control", of=damaged),
    ]
    return [
        damaged,
        *own,
        band(
            f"{name}: foreign gradients of the top 1 % of IDs (per-ID damage)",
            found.foreign_top,
            (zipf.top - 0.002, zipf.top + 0.002),
            CORRECTED,
        ),
        band(
            f"{name}: foreign gradients of the bottom half of IDs (per-ID damage)",
            found.foreign_bottom,
            (zipf.bottom - 0.003, zipf.bottom + 0.003),
            CORRECTED,
        ),
        sign(
            f"{name}, traffic-weighted risk: traffic on shared slots of the top 1 % less that of "
            f"the bottom half",
            found.risk_top - found.risk_bottom,
            1,
            CORRECTED,
            matters=TRAFFIC,
        ),
        band(
            f"{name}: traffic on shared slots less the share of IDs (incidence does not depend on "
            f"frequency)",
            found.shared_traffic - SHARE,
            (-INCIDENCE, INCIDENCE),
            CORRECTED,
        ),
        sign(
            f"{name}: how far traffic on shared slots strays from its mean, beyond uniform traffic",
            # Skew leaves the mean as it is, but a few heavy IDs decide each order.
            np.abs(found.shared_traffic - SHARE) - np.abs(even.shared_traffic - SHARE),
            1,
            CORRECTED,
            matters=TRAFFIC,
        ),
    ]


def _sync(seen: Readings, place: int, what: str, way: int) -> list[Claim]:
    """One measure, by its place in the study, over the sync interval."""
    drift, still = (
        means.slope(np.log(HOURS), seen.study(name)[:, :, place].T)
        for name in ("drift", "stationary")
    )
    claim = sign(
        f"a stream that drifts: {what}, per sd of the log sync interval",
        drift,
        way,
        SOURCE,
        matters=(AUC_MATTERS, LOSS_MATTERS)[place],
    )
    return [
        claim,
        vanishes(f"a stationary stream: {what}, per sd of the log sync interval", still, claim),
    ]


def static_curves(seen: Readings) -> Sequence[Curve]:
    """Foreign share by frequency, and AUC by sync interval."""
    made = []
    for name in ("zipf 0", *(zipf.name for zipf in SKEWED)):
        tenths = _damage(seen, name).deciles
        made.append(
            Curve(
                "Foreign share of gradients by frequency of the ID",
                name,
                x=list(range(1, 11)),
                y=tenths.mean(0).tolist(),
                low=tenths.min(0).tolist(),
                high=tenths.max(0).tolist(),
                x_label="tenth of IDs, rarest first",
                y_label="foreign share",
            )
        )
    for name in ("drift", "stationary"):
        auc = seen.study(name)[:, :, 0]
        # Less the shortest interval of the same stream: how predictable streams are cancels.
        middle, low, high = np.array([interval(v) for v in (auc - auc[:, :1]).T]).T.tolist()
        made.append(
            Curve(
                "AUC by sync interval, less that of 30 min",
                name,
                x=HOURS,
                y=middle,
                low=low,
                high=high,
                x_label="hours",
                y_label="AUC",
                log_x=True,
                control=name == "stationary",
            )
        )
    return made


PART = Part(
    "static",
    "Counts, frequency and freshness without a world",
    varies="hash, traffic, sync interval",
    judge=judge_static,
    studies=studies,
    curves=static_curves,
)
