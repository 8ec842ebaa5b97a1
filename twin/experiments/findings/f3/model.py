"""Finding 3 without a world: the pair model on the rating kernel.

Links are dealt, so their labels can be. The model is in `twin.experiments.findings.f3.pairs`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from twin.experiments.findings.f3.pairs import SOURCE, Found, Looks
from twin.experiments.findings.kit.arms import Curve, Study, averaged
from twin.experiments.findings.kit.claims import Claim, Matters, moves, sign, vanishes
from twin.experiments.findings.kit.declare import Part
from twin.experiments.findings.kit.means import Array
from twin.experiments.findings.kit.readings import Readings

GAPS = Matters(0.005, "assumption: one per cent of the usual gap of two ratings, half a star")
EXPECTED = Matters(0.03, "assumption: a tenth of its sd across people, 0.3 stars")
MATCHED = Matters(0.005, "assumption: half a hundredth of a star of rating")
SWAP = Matters(
    0.5, "it is the sign that swaps: at least half of the effect comes back with the other sign"
)
DRAWN = 2.0
"""What contentment with a work adds to the log-odds of looking at its shelf, or takes off them. At
the default patience of 0.6, 92 % of those whom a shelf serves look at the next work, and 17 % of the
others: an assumption, since no source gives a size."""
COMPARES, EXTENDS = -DRAWN, DRAWN
"""Whom a work left wanting compares it with others; whom it pleased adds to it."""


class Variant(NamedTuple):
    """A variant of the model: who looks at which link, and how links are labelled."""

    drawn: Looks
    labels: str = "linked"


AUDIENCES = Looks(co_viewed=COMPARES, bought_together=EXTENDS)
MODELS = {
    "audiences": Variant(AUDIENCES),
    "equal": Variant(Looks()),
    "random": Variant(AUDIENCES, "random"),
    "swapped": Variant(Looks(co_viewed=EXTENDS, bought_together=COMPARES)),
}
SHARES = (0.0, 0.5, 1.0)
"""Of `DRAWN`, for the picture."""
HALF = "half"


def studies(quick: bool) -> list[Study]:
    """The model, its three controls, and half of the difference between audiences."""
    size = {"replicates": 4 if quick else 24, "pairs": 300 if quick else 2000}
    cases = MODELS | {HALF: Variant(Looks(*(each / 2 for each in AUDIENCES)))}
    return [
        Study(
            name,
            "f3.pairs:coefficients",
            {"drawn": list(case.drawn), "labels": case.labels, **size},
        )
        for name, case in cases.items()
    ]


def _of(seen: Readings, name: str, field: str) -> Array:
    return seen.study(name)[:, Found._fields.index(field)]


def _apart(seen: Readings, name: str, what: str) -> Array:
    """What is read of a bought-together link less the same of a co-viewed one."""
    first, second = ("b_c", "b_s") if what == "b" else (f"{what}_c", f"{what}_s")
    return _of(seen, name, first) - _of(seen, name, second)


def judge_model(seen: Readings) -> list[Claim]:
    """Both signs, their difference, and who comes over the links; each with its controls."""
    made = []
    for field, words, way in (
        ("b_s", "effect of a co-viewed link on the rating gap, b_S", -1),
        ("b_c", "effect of a bought-together link on the rating gap, b_C", 1),
    ):
        claim = sign(
            f"pair model: {words}", _of(seen, "audiences", field), way, SOURCE, matters=GAPS
        )
        made += [
            claim,
            *_controls(words, claim, _of(seen, "equal", field), _of(seen, "random", field)),
        ]
    made += _kinds(seen)
    return [*made, *_audiences(seen)]


def _audiences(seen: Readings) -> list[Claim]:
    """Who comes over either link: without a difference in what they expect there is nothing to
    ask."""
    words = "less over co-viewed ones"
    claim = sign(
        f"pair model: general expectation of those who come over bought-together links, {words}",
        _apart(seen, "audiences", "expectation"),
        -1,
        "who extends is easier to please: it follows from who looks on",
        matters=EXPECTED,
    )
    return [
        claim,
        vanishes(
            "pair model, equal audiences: general expectation, the same difference",
            _apart(seen, "equal", "expectation"),
            claim,
        ),
        moves(
            f"pair model: match with the work of those who come over bought-together links, {words}",
            _apart(seen, "audiences", "match"),
            "no source",
            matters=MATCHED,
            aside=True,
        ),
    ]


def _controls(words: str, claim: Claim, equal: Array, random: Array) -> list[Claim]:
    return [
        vanishes(f"pair model, equal audiences: {words}", equal, claim),
        vanishes(f"pair model, labels at random: {words}", random, claim),
    ]


def _kinds(seen: Readings) -> list[Claim]:
    words = "b_C less b_S"
    claim = sign(f"pair model: {words}", _apart(seen, "audiences", "b"), 1, SOURCE, matters=GAPS)
    swapped = _apart(seen, "audiences", "b") + _apart(seen, "swapped", "b")
    return [
        claim,
        *_controls(words, claim, _apart(seen, "equal", "b"), _apart(seen, "random", "b")),
        vanishes(
            f"pair model: {words}, plus the same with labels swapped", swapped, claim, share=SWAP
        ),
    ]


def curves_model(seen: Readings) -> Sequence[Curve]:
    """Both coefficients over how far audiences differ."""
    made = []
    for field, name in (("b_s", "co-viewed, b_S"), ("b_c", "bought together, b_C")):
        found = [_of(seen, case, field) for case in ("equal", HALF, "audiences")]
        made.append(
            averaged(
                "Pair model: effect of a link on the rating gap",
                name,
                x=[DRAWN * share for share in SHARES],
                # One row per point, with one number per replicate.
                values=np.array(found),
                x_label="how far audiences differ, logit",
                y_label="stars",
            )
        )
    return made


PART = Part(
    "model",
    "The pair model on the rating kernel",
    varies="kind of link",
    judge=judge_model,
    studies=studies,
    curves=curves_model,
)
