"""Finding 3 without a world: the pair model on the rating kernel.

Links are dealt, so controls can be exact. The model is in `twin.experiments.findings.f3.pairs`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from twin.experiments.findings.f3.pairs import SOURCE
from twin.experiments.findings.kit.arms import Curve, Study, averaged
from twin.experiments.findings.kit.claims import Claim, Matters, exact, moves, sign, vanishes
from twin.experiments.findings.kit.declare import Part
from twin.experiments.findings.kit.means import Array
from twin.experiments.findings.kit.readings import Readings

MODEL_STARS = Matters(
    0.02, "assumption: a fifth of a tenth of a star, the step in which averages are commonly shown"
)
KAPPAS = (0.0, 0.5, 1.0, 1.5, 2.0)
"""Factors on kappa, stars of rating per star of surprise; 1 is the default."""


class Coefficient(NamedTuple):
    """A coefficient of the regression, and its published sign."""

    words: str
    way: int


COEFFICIENTS = (
    Coefficient("effect of a co-viewed link on the rating gap, b_S", -1),
    Coefficient("effect of a bought-together link on the rating gap, b_C", 1),
)
"""In the order of the columns of every study."""


class Variant(NamedTuple):
    """A variant of the model: reference of a co-viewed shelf, factor on kappa, whether all works
    have the same audience, and how links are labelled."""

    reference: str = "via"
    kappa: float = 1.0
    equal: bool = False
    labels: str = "linked"

    @property
    def name(self) -> str:
        """What its study is called, where it is one over kappa."""
        return f"{self.reference} {self.kappa:g}"


MODELS = {
    "default": Variant(),
    "comparison": Variant(reference="comparison"),
    "equal audiences": Variant(equal=True),
    "kappa 0": Variant(kappa=0.0),
    # A link acts through expectation (kappa) and audience: only without both it does nothing.
    "both": Variant(kappa=0.0, equal=True),
    "random": Variant(labels="random"),
    "swapped": Variant(labels="swapped"),
}


def _over_kappa(reference: str) -> list[Variant]:
    return [Variant(reference=reference, kappa=kappa) for kappa in KAPPAS]


def studies(quick: bool) -> list[Study]:
    """The default model, its controls, the other reference, and both references over kappa."""
    size = {"replicates": 16 if quick else 32, "pairs": 300 if quick else 600}
    over = {case.name: case for each in ("via", "comparison") for case in _over_kappa(each)}
    # Cases that have a name in MODELS are computed once, under that name.
    cases = MODELS | {name: case for name, case in over.items() if case not in MODELS.values()}
    return [
        Study(name, "f3.pairs:coefficients", {**case._asdict(), **size})
        for name, case in cases.items()
    ]


def _coefficients(seen: Readings, case: Variant) -> Array:
    named = next((name for name, each in MODELS.items() if each == case), case.name)
    return seen.study(named)


def judge_model(seen: Readings) -> list[Claim]:
    """Signs at the default reference with three controls each, and what other variants give, which
    is reported."""
    made = []
    for place in range(len(COEFFICIENTS)):
        made += _counted(seen, place)
    for place in range(len(COEFFICIENTS)):
        made += _reported(seen, place)
    return made


def _counted(seen: Readings, place: int) -> list[Claim]:
    words, way = COEFFICIENTS[place]
    main = seen.study("default")
    # With labels swapped each coefficient has to become the other one's.
    swapped = np.abs(seen.study("swapped")[:, place] - main[:, 1 - place]).max()
    claim = sign(f"pair model: {words}", main[:, place], way, SOURCE, matters=MODEL_STARS)
    return [
        claim,
        vanishes(f"pair model, labels at random: {words}", seen.study("random")[:, place], claim),
        vanishes(
            f"pair model, kappa 0 and equal audiences: {words}",
            seen.study("both")[:, place],
            claim,
        ),
        exact(
            f"pair model, labels swapped: {words} less the other's",
            float(swapped),
            0.0,
            "control",
            within=1e-9,
            of=claim,
        ),
    ]


def _reported(seen: Readings, place: int) -> list[Claim]:
    words, way = COEFFICIENTS[place]
    return [
        sign(
            f"pair model, both works compared (reference: comparison): {words}",
            seen.study("comparison")[:, place],
            way,
            SOURCE,
            matters=MODEL_STARS,
            aside=True,
        ),
        moves(
            f"pair model, kappa 0, audiences of their own: {words}",
            seen.study("kappa 0")[:, place],
            "no source",
            matters=MODEL_STARS,
            aside=True,
        ),
    ]


def curves_model(seen: Readings) -> Sequence[Curve]:
    """Coefficients over kappa for both references."""
    made = []
    for place, (words, _) in enumerate(COEFFICIENTS):
        for reference in ("via", "comparison"):
            found = [_coefficients(seen, case)[:, place] for case in _over_kappa(reference)]
            made.append(
                averaged(
                    f"Pair model, {words}",
                    reference,
                    x=KAPPAS,
                    values=np.array(found),
                    x_label="kappa, default = 1",
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
