"""F3: ratings of works linked as co-viewed and as bought together: do they draw together, or apart?

Stoeckli & Khobzi (2021) give signs: over substitute links ratings converge, over complementary
links they diverge; no coefficients.
    change of the gap between two average ratings = a + b_S S + b_C C + c gap + e        expected b_S < 0 < b_C
It is asked of the pair model of FINDINGS F3 on the project's rating kernel, where links are dealt
and controls can be exact, and of whole worlds, where the feed links works as people happen to view
and buy them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from twin.experiments.findings.kit.arms import (
    Arm,
    Curve,
    Outcome,
    Size,
    Study,
    averaged,
    because,
    smaller,
)
from twin.experiments.findings.kit.declare import Finding, Part
from twin.experiments.findings.kit.judging import Array, Claim, exact, moves, sign, slope, vanishes
from twin.experiments.findings.kit.readings import Readings

SOURCE = "Stoeckli & Khobzi 2021"
KAPPAS = (0.0, 0.5, 1.0, 1.5, 2.0)
"""Factors on kappa, stars of rating per star of surprise; 1 is the default."""
S, C = "co_viewed", "bought_together"
BETA_S = Outcome("rating_gap_beta_pooled", "producer", "coefficient of co-viewed", {"link": S})
BETA_C = Outcome(
    "rating_gap_beta_pooled", "producer", "coefficient of bought together", {"link": C}
)
GAP_S = Outcome("rating_gap_mean", "producer", "rating gap of co-viewed works", {"link": S})
GAP_C = Outcome("rating_gap_mean", "producer", "rating gap of works bought together", {"link": C})
SURPRISE = Outcome("rating_disconfirmation_mean", "consumer", "what is met less what was expected")
ENJOYED = Outcome("enjoyed_per_session", "consumer", "posts that people are glad of per session")
OUTCOMES = (BETA_S, BETA_C, GAP_S, GAP_C, SURPRISE, ENJOYED)
WORDS = (("co-viewed, b_S", -1), ("bought together, b_C", 1))
MODELS = {
    "default": ("via", 1.0, False, "linked"),
    "comparison": ("comparison", 1.0, False, "linked"),
    "equal audiences": ("via", 1.0, True, "linked"),
    "kappa 0": ("via", 0.0, False, "linked"),
    "both": ("via", 0.0, True, "linked"),
    "random": ("via", 1.0, False, "random"),
    "swapped": ("via", 1.0, False, "swapped"),
}
"""Reference of a co-viewed shelf, factor on kappa, whether audiences are equal, and how links are
labelled."""


def _study(name: str, quick: bool, case: tuple[str, float, bool, str]) -> Study:
    reference, kappa, equal, labels = case
    return Study(
        name,
        "f3.pairs:coefficients",
        {
            "reference": reference,
            "kappa": kappa,
            "equal": equal,
            "labels": labels,
            "replicates": 16 if quick else 32,
            "pairs": 300 if quick else 600,
        },
    )


def studies(quick: bool) -> list[Study]:
    """The default model, its controls, the other reference, and both over kappa."""
    return [
        *(_study(name, quick, case) for name, case in MODELS.items()),
        *(
            _study(f"{reference} {kappa:g}", quick, (reference, kappa, False, "linked"))
            for reference in ("via", "comparison")
            for kappa in KAPPAS
            if kappa not in (0.0, 1.0) or (kappa == 0.0 and reference == "comparison")
        ),
    ]


def _model(seen: Readings, reference: str, kappa: float) -> Array:
    names = {("via", 0.0): "kappa 0", ("via", 1.0): "default", ("comparison", 1.0): "comparison"}
    return seen.study(names.get((reference, kappa), f"{reference} {kappa:g}"))


def judge_model(seen: Readings) -> list[Claim]:
    """Signs at the default reference, three controls, and the other reference aside."""
    made, main = [], seen.study("default")
    for k, (words, way) in enumerate(WORDS):
        made.append(sign(f"pair model: {words}", main[:, k], way, SOURCE))
        made.append(
            vanishes(
                f"pair model, labels at random: {words}", seen.study("random")[:, k], main[:, k]
            )
        )
        made.append(
            vanishes(
                f"pair model, kappa 0 and equal audiences: {words}",
                seen.study("both")[:, k],
                main[:, k],
            )
        )
        swapped = np.abs(seen.study("swapped")[:, k] - main[:, 1 - k]).max()
        made.append(
            exact(
                f"pair model, labels swapped: {words} less the other's",
                float(swapped),
                0.0,
                "control",
                within=1e-9,
            )
        )
    for k, (words, way) in enumerate(WORDS):
        made.append(
            sign(
                f"pair model, both works compared (reference: comparison): {words}",
                seen.study("comparison")[:, k],
                way,
                SOURCE,
                aside=True,
            )
        )
        made.append(
            moves(
                f"pair model, kappa 0, audiences of their own: {words}",
                seen.study("kappa 0")[:, k],
                0.005,
                "no source",
                aside=True,
            )
        )
    return made


def curves_model(seen: Readings) -> Sequence[Curve]:
    """Coefficients over kappa for both references."""
    made = []
    for k, (words, _) in enumerate(WORDS):
        for reference in ("via", "comparison"):
            got = np.array([_model(seen, reference, kappa)[:, k] for kappa in KAPPAS])
            made.append(
                averaged(
                    f"Pair model, {words}", reference, KAPPAS, got, "kappa, default = 1", "stars"
                )
            )
    return made


WORLD = (
    because(
        "isolates the mechanism: a panel in which nobody comes",
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
NO_EFFECT = because(
    "kappa 0: no surprise enters a rating", ratings__kappa_up="0", ratings__kappa_down="0"
) | because("identical audiences: nobody's taste enters a rating", ratings__match_weight="0")
COMPARED = because(
    "the other reading of a co-viewed shelf: both works are compared",
    ratings__reference="comparison",
)
KINDS = {"random shelf": "random", "co-viewed shelf": S, "bought-together shelf": C}


def _shelves(control: str = "") -> list[Arm]:
    return [
        Arm(name, float("nan"), {"recommender.shelf.kind": kind}, control)
        for name, kind in KINDS.items()
    ]


def _size(replicates: int, days: int, people: int, creators: int) -> Size:
    return smaller(
        replicates,
        days,
        people,
        creators,
        because("size: as many ratings from fewer people", ratings__reporting="everyone"),
        network__communities="6",
        network__follows_mean="10",
    )


QUICK, FULL = _size(4, 40, 400, 60), _size(10, 180, 2000, 300)


def judge_worlds(seen: Readings) -> list[Claim]:
    """Each coefficient where its links are shown; where links at random are shown instead; and
    where neither mechanism is."""
    made = []
    for metric, shelf, way in (
        (BETA_S, "co-viewed shelf", -1),
        (BETA_C, "bought-together shelf", 1),
    ):
        shown = seen.effect(shelf, "random shelf", metric)
        made.append(
            sign(
                f"worlds, {shelf}: {metric.words}, less that under a random shelf",
                shown,
                way,
                SOURCE,
            )
        )
        made.append(
            vanishes(
                f"worlds, kappa 0 and equal audiences, {shelf}: {metric.words}, less that under a "
                f"random shelf",
                seen.effect(f"no effect/{shelf}", "no effect/random shelf", metric),
                shown,
            )
        )
        made.append(
            sign(
                f"worlds, {shelf}: {metric.words}, as it stands",
                seen.of(shelf, metric),
                way,
                SOURCE,
                aside=True,
            )
        )
        made.append(
            moves(
                f"worlds, random shelf: {metric.words}, as it stands",
                seen.of("random shelf", metric),
                0.005,
                "selection: nobody was shown such links",
                aside=True,
            )
        )
        for side in (SURPRISE, ENJOYED):
            made.append(
                moves(
                    f"worlds, {shelf} less random shelf: {side.words}",
                    seen.effect(shelf, "random shelf", side),
                    0.01,
                    "no source",
                    aside=True,
                )
            )
    made.append(
        sign(
            "worlds, both works compared: coefficient of co-viewed, less that under a random shelf",
            seen.of("compared/co-viewed shelf", BETA_S) - seen.of("random shelf", BETA_S),
            -1,
            SOURCE,
            aside=True,
        )
    )
    return made


def judge_kappa(seen: Readings) -> list[Claim]:
    """Over kappa, under the default shelf: what it does to both ends; magnitudes are unvalidated,
    so it is told and not counted."""
    made = []
    for metric in (GAP_S, SURPRISE, ENJOYED):
        doses, values = seen.doses(metric)
        made.append(
            moves(
                f"worlds: {metric.words}, per sd of kappa",
                slope(doses, values),
                0.005,
                "no source",
                aside=True,
            )
        )
    return made


PARTS = (
    Part(
        "model",
        "The pair model on the rating kernel",
        "kind of link",
        judge_model,
        studies=studies,
        curves=curves_model,
    ),
    Part(
        "worlds",
        "Whole worlds by the kind of shelf",
        "links that the shelf of related works shows",
        judge_worlds,
        [
            *_shelves(),
            *_shelves("no effect"),
            Arm("co-viewed shelf", float("nan"), {"recommender.shelf.kind": S}, "compared"),
        ],
        OUTCOMES,
        WORLD,
        {"no effect": NO_EFFECT, "compared": COMPARED},
        full=FULL,
        quick=QUICK,
    ),
    Part(
        "kappa",
        "Whole worlds over kappa, under the default shelf",
        "kappa, default = 1",
        judge_kappa,
        [
            Arm(
                f"{k:g}",
                k,
                {"ratings.kappa_up": f"{0.2 * k:g}", "ratings.kappa_down": f"{0.4 * k:g}"},
            )
            for k in (0.0, 1.0, 2.0)
        ],
        OUTCOMES,
        WORLD,
        full=FULL,
        quick=QUICK,
        doses=True,
        both_ends=(GAP_S, SURPRISE),
    ),
)
FINDING = Finding(
    "F3",
    "Which recommender linked the works",
    '"Frequently bought together" and "co-viewed" links give different convergence of opinion, '
    "because each gathers another audience "
    "with other prior expectations.",
    "sign",
    (
        "Stoeckli & Khobzi, Decision Support Systems 2021: signs, abstract; no coefficients, no "
        "sample size",
        "Oliver 1980 (kappa: sign)",
    ),
    PARTS,
    "By default (ratings.reference: via) the work that a co-viewed shelf hangs on sets the "
    "expectation of the other. A better neighbour "
    "then disappoints and a worse one flatters, so that contrast drives the two ratings apart: "
    "with k stars of rating per star of "
    "surprise, half of the expectation from what is on show, and everybody coming over the link, "
    "the gap rests at (1 + k) / (1 - k) times "
    "that of qualities, against (1 + k) / (1 + k / 2) over random links and (1 + k) / (1 - k / 2) "
    "bought together. The published sign "
    "cannot come out by this mechanism, and the default is left as it is. Where both works are "
    "compared side by side (reference: "
    "comparison) the gap is that of qualities, below that of random links, and ratings converge in "
    "the pair model; this is reported "
    "beside the verdict. Magnitudes are unvalidated.",
)
