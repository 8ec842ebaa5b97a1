"""Finding 3 in worlds: the feed links works as people happen to view and buy them.

Each coefficient is read under the shelf that shows its links, less the same under a shelf of random
links. What selection alone does to ratings cancels in this difference.
"""

from __future__ import annotations

import math

from twin.experiments.findings.f3.pairs import SOURCE
from twin.experiments.findings.kit.arms import (
    Arm,
    Outcome,
    Size,
    because,
    smaller,
)
from twin.experiments.findings.kit.claims import Claim, Matters, moves, sign, vanishes
from twin.experiments.findings.kit.declare import Part
from twin.experiments.findings.kit.means import slope
from twin.experiments.findings.kit.readings import Readings

S, C = "co_viewed", "bought_together"
GAPS = Matters(0.005, "assumption: one per cent of the usual gap of two ratings, half a star")
BETA_S = Outcome(
    "rating_gap_beta_pooled",
    "producer",
    "effect of a co-viewed link on the rating gap",
    {"link": S},
    GAPS,
)
BETA_C = Outcome(
    "rating_gap_beta_pooled",
    "producer",
    "effect of a bought-together link on the rating gap",
    {"link": C},
    GAPS,
)
GAP_S = Outcome("rating_gap_mean", "producer", "rating gap of co-viewed works", {"link": S}, GAPS)
GAP_C = Outcome(
    "rating_gap_mean", "producer", "rating gap of works bought together", {"link": C}, GAPS
)
SURPRISE = Outcome(
    "rating_disconfirmation_mean",
    "consumer",
    "quality met less quality expected",
    matters=Matters(0.01, "assumption: a hundredth of a star"),
)
ENJOYED = Outcome(
    "enjoyed_per_session",
    "consumer",
    "posts that people are glad of per session",
    matters=Matters(0.05, "assumption: one post in twenty sessions"),
)
OUTCOMES = (BETA_S, BETA_C, GAP_S, GAP_C, SURPRISE, ENJOYED)
WORLD = (
    because(
        "isolates the mechanism: a panel without newcomers",
        audience__arrivals="0/d",
        creators__human__arrivals="0/d",
        creators__ai__arrivals="0/d",
        creators__ai__initial="0",
    )
    | because(
        "without long-lived works there is nothing to link; off by default",
        creators__human__work_share="0.5",
    )
    | because(
        "not part of this experiment",
        chatbots__enabled="false",
        campaigns__enabled="false",
        ratings__votes__enabled="false",
    )
)
# Both mechanisms by which a link can act are off: expectation and audience.
NO_EFFECT = because(
    "kappa 0: no surprise enters a rating", ratings__kappa_up="0", ratings__kappa_down="0"
) | because("identical audiences: nobody's taste enters a rating", ratings__match_weight="0")
COMPARED = because(
    "the other interpretation of a co-viewed shelf: people compare both works",
    ratings__reference="comparison",
)
KINDS = {"random shelf": "random", "co-viewed shelf": S, "bought-together shelf": C}


def _shelves(control: str = "") -> list[Arm]:
    return [
        Arm(name, math.nan, {"recommender.shelf.kind": kind}, control)
        for name, kind in KINDS.items()
    ]


def _size(replicates: int, days: int, people: int, creators: int) -> Size:
    return smaller(
        replicates,
        days,
        people,
        creators,
        because(
            "size: the same number of ratings from fewer people", ratings__reporting="everyone"
        ),
        network__communities="6",
        network__follows_mean="10",
    )


QUICK, FULL = _size(4, 40, 400, 60), _size(10, 180, 2000, 300)


def judge_worlds(seen: Readings) -> list[Claim]:
    """Each coefficient where its links are shown; where random links are shown instead; and without
    either mechanism."""
    made = []
    for metric, shelf, way in (
        (BETA_S, "co-viewed shelf", -1),
        (BETA_C, "bought-together shelf", 1),
    ):
        made += _counted(seen, metric, shelf, way)
        made += _reported(seen, metric, shelf, way)
    made.append(
        sign(
            f"worlds, both works compared: {BETA_S.words}, less that under a random shelf",
            # Only co-viewed shelves have a reference, so the base is that of the experiment.
            seen.of("compared/co-viewed shelf", BETA_S) - seen.of("random shelf", BETA_S),
            -1,
            SOURCE,
            matters=BETA_S.matters,
            aside=True,
        )
    )
    return made


def _counted(seen: Readings, metric: Outcome, shelf: str, way: int) -> list[Claim]:
    # Works that people view together are alike before anybody sees a link. The random shelf has the
    # same pairs without showing them.
    shown = sign(
        f"worlds, {shelf}: {metric.words}, less that under a random shelf",
        seen.effect(shelf, "random shelf", metric),
        way,
        SOURCE,
        matters=metric.matters,
        primary=True,
    )
    return [
        shown,
        vanishes(
            f"worlds, kappa 0 and equal audiences, {shelf}: {metric.words}, less that under a "
            f"random shelf",
            seen.effect(f"no effect/{shelf}", "no effect/random shelf", metric),
            shown,
        ),
    ]


def _reported(seen: Readings, metric: Outcome, shelf: str, way: int) -> list[Claim]:
    levels = [
        sign(
            f"worlds, {shelf}: {metric.words}, as it stands",
            seen.of(shelf, metric),
            way,
            SOURCE,
            matters=metric.matters,
            aside=True,
        ),
        moves(
            f"worlds, random shelf: {metric.words}, as it stands",
            seen.of("random shelf", metric),
            "selection: nobody was shown such links",
            matters=metric.matters,
            aside=True,
        ),
    ]
    people = [
        moves(
            f"worlds, {shelf} less random shelf: {side.words}",
            seen.effect(shelf, "random shelf", side),
            "no source",
            matters=side.matters,
            aside=True,
        )
        for side in (SURPRISE, ENJOYED)
    ]
    return [*levels, *people]


def judge_kappa(seen: Readings) -> list[Claim]:
    """What kappa does to both ends under the default shelf. Sizes are unvalidated, so it is
    reported and not counted."""
    made = []
    for metric in (GAP_S, SURPRISE, ENJOYED):
        doses, values = seen.doses(metric)
        made.append(
            moves(
                f"worlds: {metric.words}, per sd of kappa",
                slope(doses, values),
                "no source",
                matters=metric.matters,
                aside=True,
            )
        )
    return made


SHELVES = Part(
    "worlds",
    "Whole worlds by the kind of shelf",
    varies="links that the shelf of related works shows",
    judge=judge_worlds,
    arms=[
        *_shelves(),
        *_shelves("no effect"),
        Arm("co-viewed shelf", math.nan, {"recommender.shelf.kind": S}, "compared"),
    ],
    outcomes=OUTCOMES,
    world=WORLD,
    controls={"no effect": NO_EFFECT, "compared": COMPARED},
    full=FULL,
    quick=QUICK,
)
KAPPA = Part(
    "kappa",
    "Whole worlds over kappa, under the default shelf",
    varies="kappa, default = 1",
    judge=judge_kappa,
    arms=[
        # Defaults of both kappas times the dose.
        Arm(f"{k:g}", k, {"ratings.kappa_up": f"{0.2 * k:g}", "ratings.kappa_down": f"{0.4 * k:g}"})
        for k in (0.0, 1.0, 2.0)
    ],
    outcomes=OUTCOMES,
    world=WORLD,
    full=FULL,
    quick=QUICK,
    doses=True,
    both_ends=(GAP_S, SURPRISE),
)
