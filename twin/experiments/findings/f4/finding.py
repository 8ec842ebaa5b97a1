"""F4: too few embedding dimensions favour the popular, starve niche creators, compound, and cannot
be patched afterwards.

Worlds: the default feed with another dimension, every other setting the same. Judged up to 32
dimensions, as FINDINGS gates: with one regulariser for all dimensions the curve partly turns back
beyond. Studies: exact counts of rankings, MovieLens, synthetic tastes. Evidence: validated on real
data (static part); that it compounds in a loop is the sign only.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from twin.experiments.findings.kit import judging
from twin.experiments.findings.kit.arms import Arm, Curve, Outcome, Size, Study, because, smaller
from twin.experiments.findings.kit.declare import Finding, Part
from twin.experiments.findings.kit.judging import (
    Claim,
    band,
    exact,
    interval,
    moves,
    sign,
    vanishes,
)
from twin.experiments.findings.kit.readings import Readings

SOURCE = "Ohsaka & Togashi, SIGIR 2023; FINDINGS F4"
DIMS = (2, 4, 8, 16, 32, 64, 128)
GATED = 32
TABLE = {2: (131.8, 0.024), 8: (95.8, 0.143), 32: (83.3, 0.166)}
"""ARP and coverage as FINDINGS computed them (mean of two splits)."""
SIXTHS = tuple((i / 6, (i + 1) / 6) for i in range(6))

POPULAR = Outcome("shown_popularity", "consumer", "popularity of what is shown")
MATCH = Outcome("shown_match", "consumer", "match of what is shown to taste")
GLAD = Outcome("enjoyed_per_session", "consumer", "posts per session that people are glad of")
COVERAGE = Outcome("post_coverage", "producer", "share of posts that anybody sees")
GINI = Outcome("exposure_gini", "producer", "Gini of reach across creators")
SMALL = Outcome(
    "small_creator_share", "producer", "share of reach of the less followed half of creators"
)
INCOME = Outcome("niche_income", "producer", "income of niche creators")
EXITS = Outcome("niche_exits", "producer", "niche creators who quit per day")
SIGNS = ((POPULAR, -1), (COVERAGE, 1), (GINI, -1), (INCOME, 1), (EXITS, -1))
WORLD = because(
    "not part of this experiment",
    ratings__enabled="false",
    campaigns__enabled="false",
    chatbots__enabled="false",
    opinions__enabled="false",
)
CONTROLS = {
    "random feed": because(
        "control: feedback collected at random knows no dimension", recommender__ranking="random"
    ),
    "one taste": because(
        "control: everybody has the same taste, so more dimensions have nothing to add",
        network__communities="1",
        audience__taste_spread="0",
    ),
}


def _size(replicates: int, days: int, people: int, creators: int) -> Size:
    return smaller(
        replicates,
        days,
        people,
        creators,
        audience__arrivals=f"{people // 250}/d",
        creators__human__arrivals=f"{creators / 1000:g}/d",
        creators__ai__initial=str(creators // 30),
        creators__ai__arrivals=f"{creators / 20000:g}/d",
    )


QUICK, FULL = _size(4, 48, 400, 80), _size(8, 360, 1500, 300)


def _arms(dims: Sequence[int], control: str = "", **more: str) -> list[Arm]:
    sets = {path.replace("__", "."): value for path, value in more.items()}
    return [Arm(str(dim), dim, {"recommender.dim": str(dim), **sets}, control) for dim in dims]


def _steeper(seen: Readings, metric: Outcome, arm: str) -> NDArray[np.float64]:
    """Rise of a metric per sd of time, over the sixths of a run (replicates,)."""
    return judging.slope(range(6), seen.over_time(arm, metric)[:, :6].T)


def judge_worlds(seen: Readings) -> list[Claim]:
    """Signs over log dimension up to 32, whether it compounds, and the controls."""
    made = []
    doses, _ = seen.doses(GINI)
    gated = doses <= GATED
    for metric, way in SIGNS:
        values = seen.doses(metric)[1]
        made.append(
            sign(
                f"{metric.words}, per sd of log dimension up to {GATED}",
                judging.slope(np.log(doses[gated]), values[gated]),
                way,
                SOURCE,
            )
        )
        made.append(
            vanishes(
                f"random feed: {metric.words}, 2 less 32 dimensions",
                seen.effect("random feed/2", "random feed/32", metric),
                seen.effect("2", "32", metric),
            )
        )
    made.append(
        sign(
            "it compounds: the Gini of reach rises faster at 2 than at 32 dimensions",
            _steeper(seen, GINI, "2") - _steeper(seen, GINI, "32"),
            1,
            "FINDINGS F4, loop",
        )
    )
    made.append(
        vanishes(
            "random feed: the rise of the Gini, 2 less 32 dimensions",
            _steeper(seen, GINI, "random feed/2") - _steeper(seen, GINI, "random feed/32"),
            _steeper(seen, GINI, "2") - _steeper(seen, GINI, "32"),
        )
    )
    made.append(
        sign(f"{MATCH.words}, 32 less 2 dimensions", seen.effect("32", "2", MATCH), 1, SOURCE)
    )
    made.append(
        vanishes(
            f"everybody has one taste: {MATCH.words}, 32 less 2 dimensions",
            seen.effect("one taste/32", "one taste/2", MATCH),
            seen.effect("32", "2", MATCH),
        )
    )
    return made


def worlds_curves(seen: Readings) -> list[Curve]:
    """The Gini of reach over time by dimension."""
    made = []
    for arm in seen.arms():
        middle, low, high = np.array(
            [interval(v) for v in seen.over_time(arm.name, GINI)[:, :6].T]
        ).T.tolist()
        made.append(
            Curve(
                "Gini of reach over time",
                f"{arm.name} dimensions",
                [(a + b) / 2 * seen.days for a, b in SIXTHS],
                middle,
                low,
                high,
                "day",
                "Gini of reach",
            )
        )
    return made


def judge_patch(seen: Readings) -> list[Claim]:
    """Afterwards, at two dimensions: what a patch moves, and whether it reaches what 32 dimensions
    give."""
    made = [
        sign(
            "the exposure floor at 2 dimensions lifts the reach of the less followed half",
            seen.effect("2, floor", "2", SMALL),
            1,
            "FINDINGS F4: re-ranking can change exposure",
        ),
        moves(
            "re-ranking for diversity at 2 dimensions moves the Gini of reach",
            seen.effect("2, diversity", "2", GINI),
            0.001,
            "FINDINGS F4: re-ranking can change exposure",
            aside=True,
        ),
    ]
    for patch in ("floor", "diversity"):
        made.append(
            sign(
                f"{patch} at 2 dimensions less 32 dimensions: {MATCH.words}",
                seen.effect(f"2, {patch}", "32", MATCH),
                -1,
                "sentence 4: cannot be patched afterwards",
            )
        )
        for metric, way in ((GINI, 1), (INCOME, -1)):
            made.append(
                sign(
                    f"{patch} at 2 dimensions less 32 dimensions: {metric.words}",
                    seen.effect(f"2, {patch}", "32", metric),
                    way,
                    "sentence 4, read strictly: reported",
                    aside=True,
                )
            )
    return made


def judge_bare(seen: Readings) -> list[Claim]:
    """Where no slots are kept for exploration, the same signs: reported beside the default
    world."""
    return [
        sign(
            f"no slots for exploration: {metric.words}, 32 less 2 dimensions",
            seen.effect("32", "2", metric),
            way,
            SOURCE,
            aside=True,
        )
        for metric, way in SIGNS
    ]


def _static(quick: bool) -> list[Study]:
    count, dims = (4, (2, 8, 32)) if quick else (8, (1, 2, 4, 8, 16, 32, 64, 128))
    sets = {"dims": [1, 2, 8, 32], "count": 4 if quick else 12}
    return [
        Study("counts", "f4.studies:counts"),
        Study("movies", "f4.studies:movies", {"dims": list(dims), "count": count}),
        Study("patched", "f4.studies:patched", {"dims": [2, 32], "count": count}),
        *(
            Study(name, "f4.studies:synthetic", {"rank": rank, "skew": skew, **sets})
            for name, rank, skew in (("skewed", 8, 1.0), ("flat", 8, 0.0), ("one taste", 0, 1.0))
        ),
    ]


def judge_static(seen: Readings) -> list[Claim]:
    """Exact counts; the gate of FINDINGS on MovieLens, and its table; the patch at equal
    popularity; flat and one-taste controls."""
    q = seen.study("counts")
    made = [
        exact(
            f"rankings that dot products can express: {what}",
            got,
            want,
            "Cover 1967",
            within=within,
        )
        for what, got, want, within in (
            ("Q(8, 2)", q[0], 56, 0),
            ("Q(6, 3)", q[1], 172, 0),
            ("Q(8, 3)", q[2], 646, 0),
            ("log10 Q(1000, 64)", q[3], 270.9, 0.05),
        )
    ]
    made += [
        band(
            f"rankings of 8 items found among 200,000 users in {d} dimensions, of all",
            [got / want] * 2,
            0.9,
            1.0,
            "Cover 1967",
        )
        for d, got, want in ((2, q[4], q[0]), (3, q[5], q[2]))
    ]
    return made + _judge_movies(seen) + _judge_synthetic(seen)


def _judge_movies(seen: Readings) -> list[Claim]:
    got, fixed = seen.study("movies"), seen.study("patched")
    if not len(got):
        return [band("MovieLens: left out, its data are not there", [], 0, 0, SOURCE, aside=True)]
    at = dict(zip((2, 8, 32) if seen.quick else (1, 2, 4, 8, 16, 32, 64, 128), got, strict=True))
    made = []
    for low, high in ((2, 8), (8, 32)):
        made.append(
            sign(
                f"MovieLens: ARP, {low} less {high} dimensions",
                at[low][:, 1] - at[high][:, 1],
                1,
                SOURCE,
            )
        )
        made.append(
            sign(
                f"MovieLens: coverage, {low} less {high} dimensions",
                at[low][:, 2] - at[high][:, 2],
                -1,
                SOURCE,
            )
        )
    for dim, (arp, coverage) in TABLE.items():
        made.append(
            exact(
                f"MovieLens: ARP at {dim} dimensions",
                at[dim][:2, 1].mean(),
                arp,
                "FINDINGS F4, table",
                within=0.1 * arp,
            )
        )
        made.append(
            exact(
                f"MovieLens: coverage at {dim} dimensions",
                at[dim][:2, 2].mean(),
                coverage,
                "FINDINGS F4, table",
                within=0.1 * coverage,
            )
        )
    made.append(
        sign(
            "MovieLens: re-ranking brings two dimensions to less popular items",
            fixed[0][:, 1] - at[2][:, 1],
            -1,
            SOURCE,
        )
    )
    for place, what in ((0, "recall"), (2, "coverage")):
        made.append(
            sign(
                f"MovieLens, both re-ranked to one popularity: {what}, 2 less 32 dimensions",
                fixed[0][:, place] - fixed[1][:, place],
                -1,
                "sentence 4: cannot be patched afterwards",
            )
        )
    return made


def _judge_synthetic(seen: Readings) -> list[Claim]:
    skewed, flat, one = (seen.study(name) for name in ("skewed", "flat", "one taste"))
    gain, gain_one = (data[3, :, 0] - data[0, :, 0] for data in (skewed, one))
    return [
        sign(
            "skewed popularity: ARP over the mean, 2 less 32 dimensions",
            skewed[1, :, 1] - skewed[3, :, 1],
            1,
            SOURCE,
        ),
        band(
            "control, flat popularity: ARP over the mean, 2 less 32 dimensions (chance in counts "
            "is left)",
            flat[1, :, 1] - flat[3, :, 1],
            -0.1,
            0.1,
            "FINDINGS F4, control a; a tenth of the mean",
        ),
        sign("tastes of eight dimensions: recall, 32 less 1 dimension", gain, 1, SOURCE),
        sign(
            "control, one taste: recall, 32 less 1 dimension, beyond a tenth of that gain",
            gain_one - 0.1 * gain,
            -1,
            "FINDINGS F4, control b",
        ),
    ]


def static_curves(seen: Readings) -> list[Curve]:
    """MovieLens by dimension."""
    got, dims = seen.study("movies"), (2, 8, 32) if seen.quick else (1, 2, 4, 8, 16, 32, 64, 128)
    if not len(got):
        return []
    shown = {
        "recall": "recall",
        "popularity of what is recommended": "ratings",
        "coverage": "coverage",
    }
    return [
        Curve(
            f"MovieLens: {what}",
            "implicit ALS",
            dims,
            got[:, :, place].mean(1).tolist(),
            got[:, :, place].min(1).tolist(),
            got[:, :, place].max(1).tolist(),
            "dimension",
            unit,
            True,
        )
        for place, (what, unit) in enumerate(shown.items())
    ]


WORLDS = Part(
    "worlds",
    "Dimension in a feed that feeds on itself",
    "embedding dimension",
    judge_worlds,
    arms=(*_arms(DIMS), *_arms((2, 32), "random feed"), *_arms((2, 32), "one taste")),
    outcomes=(POPULAR, MATCH, GLAD, COVERAGE, GINI, SMALL, INCOME, EXITS),
    world=WORLD,
    controls=CONTROLS,
    full=FULL,
    quick=QUICK,
    windows=(*SIXTHS, (0.5, 1.0)),
    curves=worlds_curves,
    doses=True,
    log_dose=True,
    both_ends=(GINI, MATCH),
)
PATCH = Part(
    "patch",
    "Patched afterwards, or more dimensions",
    "patch or dimension",
    judge_patch,
    arms=(
        *_arms((2, 32)),
        Arm("2, floor", 2, {"recommender.dim": "2", "recommender.exposure_floor": "2"}),
        Arm("2, diversity", 2, {"recommender.dim": "2", "recommender.diversity": "0.5"}),
    ),
    outcomes=(POPULAR, MATCH, GLAD, GINI, SMALL, INCOME),
    world=WORLD,
    full=FULL,
    quick=QUICK,
    windows=(*SIXTHS, (0.5, 1.0)),
)
BARE = Part(
    "bare",
    "Without slots for exploration",
    "embedding dimension",
    judge_bare,
    arms=_arms((2, 32)),
    outcomes=(POPULAR, COVERAGE, GINI),
    world=WORLD
    | because("isolates the mechanism: the ranking alone decides", recommender__explore_slots="0"),
    full=FULL,
    quick=QUICK,
    windows=(*SIXTHS, (0.5, 1.0)),
)
STATIC = Part(
    "static",
    "Counts, MovieLens and synthetic tastes",
    "embedding dimension",
    judge_static,
    studies=_static,
    curves=static_curves,
)

FINDING = Finding(
    "F4",
    "Low dimension favours the popular",
    "Too few embedding dimensions favour the popular; niche creators starve of exposure; it "
    "compounds; it cannot be patched afterwards.",
    "validated",
    (
        "Ohsaka & Togashi, SIGIR 2023, arXiv 2305.13597",
        "FINDINGS F4: counts and MovieLens, computed",
    ),
    (STATIC, WORLDS, PATCH, BARE),
    "Re-ranking does change exposure: what it cannot bring back is what a model of few dimensions "
    "does not know.",
)
