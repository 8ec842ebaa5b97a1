"""Finding 3 in worlds: the feed links works as people happen to view and buy them, and different
people look at different shelves.

Nothing is said about ratings. Whom a work left wanting, by their taste or because they expect much
of works, looks at works that others viewed with it, and whom it pleased at works that others bought
with it (`audience.shelf_drawn`); no shelf sets an expectation. So the audiences of both differ in
expectation and taste, and what this does to the gap of ratings follows.

An effect of a link is its coefficient under the shelf that shows it, less the same under a shelf of
random links: works that people view together are alike before anybody sees a link.
"""

from __future__ import annotations

import math

from twin.experiments.findings.f3.model import COMPARES, EXTENDS, GAPS, SWAP
from twin.experiments.findings.f3.pairs import DEMAND, SOURCE
from twin.experiments.findings.kit.arms import (
    Arm,
    Change,
    Outcome,
    Size,
    because,
    smaller,
)
from twin.experiments.findings.kit.claims import Claim, Matters, moves, sign, vanishes
from twin.experiments.findings.kit.declare import Part
from twin.experiments.findings.kit.means import Array, slope
from twin.experiments.findings.kit.readings import Readings

S, C = "co_viewed", "bought_together"
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
OUTCOMES = (BETA_S, BETA_C, GAP_S, SURPRISE, ENJOYED)


def _looks(reason: str, co_viewed: float, bought_together: float) -> dict[str, tuple[str, str]]:
    """Who looks at which shelf."""
    return because(
        reason,
        audience__shelf_drawn__co_viewed=f"{co_viewed:g}",
        audience__shelf_drawn__bought_together=f"{bought_together:g}",
    )


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
    | because(
        "no link sets an expectation: contrast with the linked work would drive ratings apart by "
        "construction",
        ratings__reference="none",
        ratings__carried="false",
    )
    | _looks(
        "assumption: whom a work left wanting compares it with others, whom it pleased adds to it",
        COMPARES,
        EXTENDS,
    )
    | because(
        "assumption: who expects more is harder to please; an sd of expectations, 0.3 stars, weighs "
        "0.6 where being glad of a work or not weighs 1",
        audience__shelf_drawn__expectation=f"{DEMAND:g}",
    )
)
CONTROLS = {
    "equal": _looks("equal audiences: all look at every shelf alike", 0, 0),
    "swapped": _looks(
        "labels swapped: who extends a purchase looks at co-viewed works, who compares at those "
        "bought together",
        EXTENDS,
        COMPARES,
    ),
    "compares": because(
        "links at random, looked at as co-viewed ones are",
        audience__shelf_drawn__random=f"{COMPARES:g}",
    ),
    "extends": because(
        "links at random, looked at as bought-together ones are",
        audience__shelf_drawn__random=f"{EXTENDS:g}",
    ),
}
RANDOM, CO, BOUGHT = "random shelf", "co-viewed shelf", "bought-together shelf"
KINDS = {RANDOM: "random", CO: S, BOUGHT: C}


def _shelves(*names: str, control: str = "") -> list[Arm]:
    return [Arm(name, math.nan, {"recommender.shelf.kind": KINDS[name]}, control) for name in names]


def _size(
    replicates: int, days: int, people: int, creators: int, also: Change | None = None
) -> Size:
    return smaller(
        replicates,
        days,
        people,
        creators,
        because("size: the same number of ratings from fewer people", ratings__reporting="everyone")
        | dict(also or {}),
        network__communities="6",
        network__follows_mean="10",
        recommender__retrain_every="1d",
        recommender__sync_every="1d",
    )


OFTEN = because("size: days are few, so pairs are read every five of them", pairs__every="5d")
# In eight worlds of the full size, without any contrast of audiences, a coefficient less that under
# the random shelf had an sd of 0.0034: 24 worlds show a difference of 0.005 with more than 80 % power.
QUICK, FULL = _size(4, 20, 500, 50, OFTEN), _size(24, 60, 3000, 60)


def _effects(seen: Readings, co: str, bought: str) -> tuple[Array, Array]:
    """Effects of either link where these arms show them, less those under a random shelf
    (replicates,) each."""
    return seen.effect(co, RANDOM, BETA_S), seen.effect(bought, RANDOM, BETA_C)


def judge_worlds(seen: Readings) -> list[Claim]:
    """Both kinds of link differ, and each has its published sign; with equal audiences, links at
    random and labels swapped beside them."""
    main = _effects(seen, CO, BOUGHT)
    equal = _effects(seen, f"equal/{CO}", f"equal/{BOUGHT}")
    random = _effects(seen, f"compares/{RANDOM}", f"extends/{RANDOM}")
    swapped = _effects(seen, f"swapped/{CO}", f"swapped/{BOUGHT}")
    words = "effect of a bought-together link on the rating gap less that of a co-viewed one"
    kinds = sign(
        f"worlds: {words}",
        main[1] - main[0],
        1,
        "another audience, another convergence",
        matters=GAPS,
        primary=True,
    )
    made = [
        kinds,
        vanishes(f"worlds, equal audiences: {words}", equal[1] - equal[0], kinds),
        vanishes(f"worlds, links at random: {words}", random[1] - random[0], kinds),
        vanishes(
            f"worlds: {words}, plus the same with labels swapped, beyond equal audiences",
            # Beyond those, as the random shelf enters both with the same noise.
            sum(each[1] - each[0] for each in (main, swapped)) - 2 * (equal[1] - equal[0]),
            kinds,
            share=SWAP,
        ),
    ]
    for place, (metric, way) in enumerate(((BETA_S, -1), (BETA_C, 1))):
        made += _link(metric, way, main[place], equal[place], random[place], swapped[place])
    return [*made, *_reported(seen)]


def _link(
    metric: Outcome, way: int, main: Array, equal: Array, random: Array, swapped: Array
) -> list[Claim]:
    """One kind of link: its effect with the controls, and how much of it is due to who looks."""
    words = f"{metric.words}, less that under a random shelf"
    shown = sign(f"worlds: {words}", main, way, SOURCE, matters=metric.matters, primary=True)
    return [
        shown,
        vanishes(f"worlds, equal audiences: {words}", equal, shown),
        vanishes(f"worlds, links at random: {words}", random, shown),
        sign(
            f"worlds, audiences of their own less equal ones: {metric.words}",
            main - equal,
            way,
            SOURCE,
            matters=metric.matters,
        ),
        sign(
            f"worlds, labels swapped less equal audiences: {metric.words}",
            swapped - equal,
            -way,
            "the sign swaps",
            matters=metric.matters,
        ),
    ]


def _reported(seen: Readings) -> list[Claim]:
    made = [
        moves(
            f"worlds, {RANDOM}: {metric.words}, as it stands",
            seen.of(RANDOM, metric),
            "selection: nobody was shown such links",
            matters=metric.matters,
            aside=True,
        )
        for metric in (BETA_S, BETA_C)
    ]
    return made + [
        moves(
            f"worlds, {shelf} less random shelf: {side.words}",
            seen.effect(shelf, RANDOM, side),
            "no source",
            matters=side.matters,
            aside=True,
        )
        for shelf in (CO, BOUGHT)
        for side in (SURPRISE, ENJOYED)
    ]


def judge_looks(seen: Readings) -> list[Claim]:
    """What it does to both ends who looks at a co-viewed shelf. Sizes are unvalidated, so it is
    reported and not counted."""
    made = []
    for metric in (GAP_S, SURPRISE, ENJOYED):
        doses, values = seen.doses(metric)
        made.append(
            moves(
                f"worlds: {metric.words}, per sd of who looks at a co-viewed shelf",
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
        *_shelves(RANDOM, CO, BOUGHT),
        *_shelves(CO, BOUGHT, control="equal"),
        *_shelves(RANDOM, control="compares"),
        *_shelves(RANDOM, control="extends"),
        *_shelves(CO, BOUGHT, control="swapped"),
    ],
    outcomes=OUTCOMES,
    world=WORLD,
    controls=CONTROLS,
    full=FULL,
    quick=QUICK,
)


def _dose(name: str, drawn: float) -> Arm:
    # Both labels, as in the controls above: these worlds are theirs, and run once.
    return Arm(
        name,
        drawn,
        {
            "recommender.shelf.kind": S,
            "audience.shelf_drawn.co_viewed": f"{drawn:g}",
            "audience.shelf_drawn.bought_together": f"{-drawn:g}" if drawn else "0",
        },
    )


LOOKS = Part(
    "looks",
    "Who looks at a co-viewed shelf: those whom a work left wanting, all alike, those whom it pleased",
    varies="what contentment with a work adds to the log-odds of looking at its co-viewed shelf",
    judge=judge_looks,
    arms=[_dose("compare", COMPARES), _dose("all alike", 0.0), _dose("extend", EXTENDS)],
    outcomes=OUTCOMES,
    world=WORLD,
    full=FULL,
    quick=QUICK,
    doses=True,
    both_ends=(GAP_S, SURPRISE),
)
