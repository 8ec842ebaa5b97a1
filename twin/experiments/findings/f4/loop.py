"""Finding 4 in worlds: embedding dimension in a feed that learns from what it shows.

That the effect compounds in such a loop is known by its sign only.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.experiments.findings.f4.arms import (
    CONTROLS,
    COVERAGE,
    DIMS,
    EXITS,
    FULL,
    GATED,
    GINI,
    GLAD,
    INCOME,
    MATCH,
    POPULAR,
    QUICK,
    RELATIVE,
    SIGNS,
    SIXTHS,
    SMALL,
    SOURCE,
    WORLD,
    dimension_arms,
)
from twin.experiments.findings.kit import means
from twin.experiments.findings.kit.arms import Arm, Curve, Outcome, because
from twin.experiments.findings.kit.claims import Claim, Matters, moves, sign, vanishes
from twin.experiments.findings.kit.declare import Part
from twin.experiments.findings.kit.means import interval
from twin.experiments.findings.kit.readings import Readings

STEEPER = Matters(
    0.0034, "assumption: over the run (2.9 sd of time) the Gini at 2 dimensions gains a hundredth"
)


def _steeper(seen: Readings, metric: Outcome, arm: str) -> NDArray[np.float64]:
    """Rise of a metric per sd of time, over the sixths of a run (replicates,)."""
    # The seventh window, the second half, is no part of the course.
    return means.slope(range(6), seen.over_time(arm, metric)[:, :6].T)


def judge_worlds(seen: Readings) -> list[Claim]:
    """Signs over log dimension up to 32, whether the effect compounds, and the controls."""
    made = []
    for metric, way in SIGNS:
        doses, values = seen.doses(metric)
        # FINDINGS fixed the gate before: one regulariser for all dimensions bends the curve beyond
        # it.
        gated = doses <= GATED
        claim = sign(
            f"{metric.words}, per sd of log dimension up to {GATED}",
            means.slope(np.log(doses[gated]), values[gated]) / _level(seen, metric),
            way,
            SOURCE,
            matters=metric.matters,
            primary=metric in (POPULAR, INCOME),
        )
        control = vanishes(
            f"random feed: {metric.words}, 2 less 32 dimensions",
            seen.effect("random feed/2", "random feed/32", metric)
            / _level(seen, metric, "random feed/2"),
            claim,
            beside=seen.effect("2", "32", metric) / _level(seen, metric),
        )
        made += [claim, control]
    return [*made, *_compounds(seen), *_match(seen)]


def _level(seen: Readings, metric: Outcome, arm: str = "2") -> NDArray[np.float64]:
    """What a claim about a metric is a share of (replicates,): one where it is a difference."""
    level = seen.of(arm, metric)
    return level if metric in RELATIVE else np.ones_like(level)


def _compounds(seen: Readings) -> list[Claim]:
    # Compounding is a steeper rise over time, not a larger gap at the end.
    faster = sign(
        "it compounds: the Gini of reach rises faster at 2 than at 32 dimensions",
        _steeper(seen, GINI, "2") - _steeper(seen, GINI, "32"),
        1,
        "FINDINGS F4, loop",
        matters=STEEPER,
        primary=True,
    )
    return [
        faster,
        vanishes(
            "random feed: the rise of the Gini, 2 less 32 dimensions",
            _steeper(seen, GINI, "random feed/2") - _steeper(seen, GINI, "random feed/32"),
            faster,
        ),
    ]


def _match(seen: Readings) -> list[Claim]:
    gain = sign(
        f"{MATCH.words}, 32 less 2 dimensions",
        seen.effect("32", "2", MATCH),
        1,
        SOURCE,
        matters=MATCH.matters,
    )
    return [
        gain,
        vanishes(
            f"everybody has one taste: {MATCH.words}, 32 less 2 dimensions",
            seen.effect("one taste/32", "one taste/2", MATCH),
            gain,
        ),
    ]


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
                x=[(a + b) / 2 * seen.days for a, b in SIXTHS],
                y=middle,
                low=low,
                high=high,
                x_label="day",
                y_label="Gini of reach",
            )
        )
    return made


def judge_patch(seen: Readings) -> list[Claim]:
    """What a patch at two dimensions changes, and whether it reaches the results of 32
    dimensions."""
    made = [
        sign(
            "the exposure floor at 2 dimensions lifts the reach of the less followed half",
            seen.effect("2, floor", "2", SMALL),
            1,
            "FINDINGS F4: re-ranking can change exposure",
            matters=SMALL.matters,
        ),
        moves(
            "re-ranking for diversity at 2 dimensions moves the Gini of reach",
            seen.effect("2, diversity", "2", GINI),
            "FINDINGS F4: re-ranking can change exposure",
            matters=GINI.matters,
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
                matters=MATCH.matters,
            )
        )
        # A patch may move exposure as far as more dimensions do. The finding does not exclude it.
        for metric, way in ((GINI, 1), (INCOME, -1)):
            made.append(
                sign(
                    f"{patch} at 2 dimensions less 32 dimensions: {metric.words}",
                    seen.effect(f"2, {patch}", "32", metric) / _level(seen, metric),
                    way,
                    "sentence 4, read strictly: reported",
                    matters=metric.matters,
                    aside=True,
                )
            )
    return made


def judge_bare(seen: Readings) -> list[Claim]:
    """The same signs without slots for exploration: reported beside the default world."""
    return [
        sign(
            f"no slots for exploration: {metric.words}, 32 less 2 dimensions",
            seen.effect("32", "2", metric) / _level(seen, metric),
            way,
            SOURCE,
            matters=metric.matters,
            aside=True,
        )
        for metric, way in SIGNS
    ]


WORLDS = Part(
    "worlds",
    "Dimension in a feed that learns from its own slates",
    varies="embedding dimension",
    judge=judge_worlds,
    arms=(
        *dimension_arms(DIMS),
        *dimension_arms((2, 32), "random feed"),
        *dimension_arms((2, 32), "one taste"),
    ),
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
    varies="patch or dimension",
    judge=judge_patch,
    arms=(
        *dimension_arms((2, 32)),
        # Patches at two dimensions only: they are to make up for what is missing there.
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
    varies="embedding dimension",
    judge=judge_bare,
    arms=dimension_arms((2, 32)),
    outcomes=(POPULAR, COVERAGE, GINI),
    world=WORLD
    | because("isolates the mechanism: the ranking alone decides", recommender__explore_slots="0"),
    full=FULL,
    quick=QUICK,
    windows=(*SIXTHS, (0.5, 1.0)),
)
