"""F8, the sentence above all findings: are the effects on those who make and on those who watch one
parameter read from two ends?

Asked of every part of F1 to F7 whose doses are numbers, on its own worlds. With z the dose,
standardised (of its logarithm where it is turned by factors), and y an outcome over the doses of
one replicate in units of its standard deviation from world to world,

    slope of an end = mean over doses of z y        correlation of both ends = Pearson's r of the
                                                    two y over the doses

A parameter has two ends if both slopes differ from zero; within +-.2 sd a slope is next to nothing
(Cohen's small effect, a convention).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from twin.experiments.findings.kit.arms import Curve, averaged
from twin.experiments.findings.kit.claims import Claim, band, moves
from twin.experiments.findings.kit.declare import Examined, Finding, Part
from twin.experiments.findings.kit.judging import slope
from twin.experiments.findings.kit.readings import Readings

NOTHING = 0.2
FINDING = Finding(
    "F8",
    "One parameter, two ends",
    "Producer and consumer effects are one parameter read from two ends.",
    "hypothesis",
    ("the sentence above the seven findings; the twin's own worlds",),
    (),
    "Reproduced only if every parameter moves both sides. A sign is not asked for: a parameter may "
    "give to one side what it takes from the "
    "other (correlation below zero).",
)
Array = NDArray[np.float64]


def ends(part: Part, seen: Readings) -> tuple[Array, Array, Array] | None:
    """Doses (arms,) and both outcomes in sd (arms, replicates); None where a part asks for none."""
    if part.both_ends is None:
        return None
    doses, made = np.array([]), []
    for outcome in part.both_ends:
        doses, values = seen.doses(outcome)
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            spread = np.sqrt(np.mean(values.var(1, ddof=1)))
            made.append(
                (values - values.mean()) / spread if spread > 0 else np.full_like(values, np.nan)
            )
    return (
        np.log(np.maximum(doses, np.min(doses[doses > 0]) / 2)) if part.log_dose else doses,
        made[0],
        made[1],
    )


def judge(all_seen: Sequence[Examined]) -> list[Claim]:
    """Claims of every parameter; ``all_seen``: parts of all findings."""
    claims = []
    for key, part, seen in all_seen:
        found = ends(part, seen)
        if found is None or part.both_ends is None:
            continue
        doses, producer, consumer = found
        for side, values, outcome in zip(
            ("makers", "watchers"), (producer, consumer), part.both_ends, strict=True
        ):
            claims.append(
                moves(
                    f"{key}, {part.varies}: {side}, {outcome.words}, per sd of the dose",
                    slope(doses, values),
                    NOTHING,
                    "both ends move",
                    unit="sd",
                )
            )
        with np.errstate(all="ignore"):
            together = [
                np.corrcoef(producer[:, r], consumer[:, r])[0, 1] for r in range(producer.shape[1])
            ]
        claims.append(
            band(
                f"{key}, {part.varies}: correlation of both ends over the doses",
                together,
                -1,
                1,
                "reported",
                aside=True,
            )
        )
    return claims


def curves(all_seen: Sequence[Examined]) -> list[Curve]:
    """Both ends over the dose, one picture per parameter, in sd."""
    made = []
    for key, part, seen in all_seen:
        found = ends(part, seen)
        if found is None or part.both_ends is None:
            continue
        doses, *both = found
        order = np.argsort(doses, kind="stable")
        for values, outcome in zip(both, part.both_ends, strict=True):
            made.append(
                averaged(
                    f"{key}: {part.varies}",
                    outcome.words,
                    doses[order].tolist(),
                    values[order],
                    "log of the dose" if part.log_dose else "dose",
                    "sd",
                )
            )
    return made
