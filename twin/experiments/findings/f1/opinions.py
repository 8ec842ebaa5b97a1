"""Finding 1, topology: the decay of opinions on six graphs, against their second eigenvalue.

The calculations are in `twin.experiments.findings.f1.graphs`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from twin.experiments.findings.f1.graphs import GRAPHS, REWIRED, Decay
from twin.experiments.findings.kit.arms import Curve, Study
from twin.experiments.findings.kit.claims import Claim, Matters, exact, left_out, sign
from twin.experiments.findings.kit.declare import Part
from twin.experiments.findings.kit.means import Array
from twin.experiments.findings.kit.readings import Readings

SOURCE = "FINDINGS F1, 1c"
KEPT = Matters(0.01, "assumption: one per cent of the variance at the start")


def _studies(quick: bool) -> list[Study]:
    made = [Study(name, "f1.graphs:decay", {"graph": name}) for name in GRAPHS]
    return [
        *made,
        Study("rewired", "f1.graphs:rewired", {"graphs": 8 if quick else 32}),
        Study("alone", "f1.graphs:alone"),
    ]


def _judge(seen: Readings) -> list[Claim]:
    # Rows go from the ring (no tie rewired) to the random graph (all of them).
    left = seen.study("rewired")
    ring = sign(
        "at one degree, a ring of neighbours keeps more variance of opinion than a random graph, "
        "as a share of the start",
        left[0] - left[-1],
        1,
        SOURCE,
        matters=KEPT,
    )
    return [
        *(claim for name in GRAPHS for claim in _graph(name, seen.study(name))),
        ring,
        exact(
            "control: nobody hears anybody (W = I), largest move of an opinion",
            seen.study("alone")[0],
            0.0,
            SOURCE,
            of=ring,
        ),
    ]


def _graph(name: str, study: Array) -> list[Claim]:
    if not len(study):
        return [left_out(f"{name}: left out, its data are not there", SOURCE)]
    decay = Decay(*study)
    if name == "complete":
        return [
            exact(
                "complete graph: distance from the mean after one round",
                decay.apart,
                0.0,
                SOURCE,
                within=1e-14,
            )
        ]
    # To half of the last digit that was published.
    digits = 5e-7 if name == "ego-Facebook" else 5e-6
    return [
        exact(f"{name}: lambda_2", decay.second, GRAPHS[name].published, SOURCE, within=digits),
        exact(
            f"{name}: decay of the distance per round over -ln lambda_2",
            decay.measured / decay.theory,
            1.0,
            SOURCE,
            within=0.01,
        ),
    ]


def _curves(seen: Readings) -> Sequence[Curve]:
    found = [
        Decay(*seen.study(name)) for name in GRAPHS if name != "complete" and len(seen.study(name))
    ]
    rate = sorted((float(each.theory), float(each.measured)) for each in found)
    x = [slow for slow, _ in rate]
    label, other = "-ln lambda_2", "decay per round"
    # The floor gives a logarithm to variances that have vanished.
    left = np.log10(np.maximum(seen.study("rewired"), 1e-30)).mean(1)
    return [
        Curve(
            "How fast opinions converge",
            "measured",
            x=x,
            y=[fast for _, fast in rate],
            x_label=label,
            y_label=other,
            log_x=True,
        ),
        Curve(
            "How fast opinions converge",
            "theory",
            x=x,
            y=x,
            x_label=label,
            y_label=other,
            log_x=True,
        ),
        Curve(
            "Variance left after 30 rounds, same degree for all",
            "measured",
            x=REWIRED,
            y=[float(v) for v in left],
            x_label="share of ties rewired",
            y_label="log10 of variance left",
        ),
    ]


PART = Part(
    "opinions",
    "Topology pulls opinion towards convergence",
    varies="graph",
    judge=_judge,
    studies=_studies,
    curves=_curves,
)
