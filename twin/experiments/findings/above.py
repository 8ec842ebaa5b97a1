"""Finding 8, the sentence above all others: are the effects on creators and on consumers one
parameter read from two ends?

It is asked of every part of F1 to F7 whose doses are numbers, on its own worlds. Let z be the
standardised dose (its logarithm where arms differ by factors), and y an outcome over the doses of
one replicate, in units of its standard deviation between worlds. Then

    slope of an end          mean over doses of z y
    size of an end           |mean over replicates of its slope|

and the finding is the rank correlation of both sizes over all parameters: what moves one side much
moves the other much. Sizes, because the sign of an outcome is a convention: a parameter may give
one side what it takes from the other. Ranks, because sizes differ by orders of magnitude. The
interval is that of Fisher's z with as many pairs as parameters, so worlds do not narrow it.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.experiments.findings.kit.arms import Curve, averaged
from twin.experiments.findings.kit.claims import Claim, Matters, band, moves, related
from twin.experiments.findings.kit.declare import Examined, Finding, Part
from twin.experiments.findings.kit.means import slope
from twin.experiments.findings.kit.readings import Readings

Array = NDArray[np.float64]
NEGLIGIBLE = Matters(0.2, "sd: Cohen's small effect, a convention")
TOGETHER = Matters(0.3, "Cohen's medium correlation, a convention")
FINDING = Finding(
    key="F8",
    title="One parameter, two ends",
    sentence="Producer and consumer effects are one parameter read from two ends.",
    evidence="hypothesis",
    sources=("the sentence above the seven findings; the twin's own worlds",),
    parts=(),
    note="Whether each parameter moves both sides is reported beside the correlation. A "
    "correlation "
    "over about ten parameters has a wide interval: more parameters would narrow it, more worlds "
    "would not.",
)


class Ends(NamedTuple):
    """Doses (arms,), and the outcomes of both sides in sd between worlds (arms, replicates)."""

    doses: Array
    producer: Array
    consumer: Array


def ends(part: Part, seen: Readings) -> Ends | None:
    """Both ends of a part; None where it has no axis to ask them over."""
    if part.both_ends is None:
        return None
    producer, consumer = part.both_ends
    doses, _ = seen.doses(producer)
    if part.log_dose:
        # A dose of zero has no logarithm: it counts as half of the smallest one.
        doses = np.log(np.maximum(doses, np.min(doses[doses > 0]) / 2))
    return Ends(doses, _in_sd(seen.doses(producer)[1]), _in_sd(seen.doses(consumer)[1]))


def _in_sd(values: Array) -> Array:
    """Values (arms, replicates), centred, in sd between worlds; NaN where worlds do not differ."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        # Within arms only: what the dose does must not enter its unit; NaN for one world per arm.
        spread = np.sqrt(np.mean(values.var(1, ddof=1)))
        if spread > 0:
            return np.asarray((values - values.mean()) / spread)
        return np.full_like(values, np.nan)


def judge(all_seen: Sequence[Examined]) -> list[Claim]:
    """Claims about every parameter, and the correlation over them; ``all_seen``: parts of all
    findings."""
    claims, sizes = [], []
    for key, part, seen in all_seen:
        found = ends(part, seen)
        if found is None or part.both_ends is None:
            continue
        slopes = [slope(found.doses, values) for values in (found.producer, found.consumer)]
        sizes.append([abs(float(each.mean())) for each in slopes])
        claims += [
            moves(
                f"{key}, {part.varies}: {side}, {outcome.words}, per sd of the dose",
                each,
                "both ends move",
                matters=NEGLIGIBLE,
                unit="sd",
            )
            for side, outcome, each in zip(
                ("creators", "consumers"), part.both_ends, slopes, strict=True
            )
        ]
        claims.append(
            band(
                f"{key}, {part.varies}: correlation of both ends over the doses",
                _together(found),
                (-1, 1),
                "reported",
                aside=True,
            )
        )
    producers, consumers = zip(*sizes, strict=True) if sizes else ((), ())
    main = related(
        "parameters that move creators more also move consumers more: rank correlation of the "
        "sizes "
        "of both slopes",
        producers,
        consumers,
        "one parameter read from two ends",
        matters=TOGETHER,
        primary=True,
    )
    return [main, *claims]


def _together(found: Ends) -> list[float]:
    """Correlation of both ends in each replicate."""
    # Arms of one replicate share their luck, so it is the dose that moves both outcomes.
    pairs = zip(found.producer.T, found.consumer.T, strict=True)
    with np.errstate(all="ignore"):
        return [float(np.corrcoef(producer, consumer)[0, 1]) for producer, consumer in pairs]


def curves(all_seen: Sequence[Examined]) -> list[Curve]:
    """Both ends over the dose, one picture per parameter, in sd."""
    made = []
    for key, part, seen in all_seen:
        found = ends(part, seen)
        if found is None or part.both_ends is None:
            continue
        doses, *both = found
        # Arms may be declared in any order, but a line needs an ascending axis.
        order = np.argsort(doses, kind="stable")
        for values, outcome in zip(both, part.both_ends, strict=True):
            made.append(
                averaged(
                    f"{key}: {part.varies}",
                    outcome.words,
                    x=doses[order].tolist(),
                    values=values[order],
                    x_label="log of the dose" if part.log_dose else "dose",
                    y_label="sd",
                )
            )
    return made
