"""Finding 1, contamination: one seed vote herds the votes after it.

The calculation is in `twin.experiments.findings.f1.seeding`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from twin.experiments.findings.f1.seeding import SEEDS, Floats
from twin.experiments.findings.kit.arms import Curve, Study
from twin.experiments.findings.kit.claims import Claim, Matters, band, exact, sign, vanishes
from twin.experiments.findings.kit.declare import Part
from twin.experiments.findings.kit.means import interval
from twin.experiments.findings.kit.readings import Readings

MUCHNIK = "Muchnik, Aral & Taylor, Science 2013"
UP = (1.1102, 1.3898)
"""Ratio by an up-vote: +25 %, with a band as wide to both sides as the distance to the replication
that differs (+11.02 %, Glenski & Weninger)."""
DOWN = (1 - 0.0515, 1 + 0.0515)
"""Ratio by a down-vote: no difference, within what that replication found (-5.15 %)."""
VOTES_MATTER = Matters(
    0.0515, "as a share of votes: what counts as no difference, Glenski & Weninger -5.15 %"
)


WAYS: dict[str, dict[str, Any]] = {
    "default": {"shown": True, "seeds": True, "correction": -1.0},
    "uncorrected": {"shown": True, "seeds": True, "correction": 0.0},
    "hidden": {"shown": False, "seeds": True, "correction": -1.0},
    "hidden, unseeded": {"shown": False, "seeds": False, "correction": -1.0},
}


def _studies(quick: bool) -> list[Study]:
    return [
        Study(name, "f1.seeding:votes", {**args, "replicates": 8 if quick else 40})
        for name, args in WAYS.items()
    ]


class BySeed(NamedTuple):
    """A number of posts by their seed vote, (replicates,) each."""

    down: Floats
    none: Floats
    up: Floats


def _judge_votes(seen: Readings) -> list[Claim]:
    net = {name: BySeed(*seen.study(name).T) for name in WAYS}
    # Ratios to unseeded posts of the same world: levels depend on the default rates of votes.
    ratio = {
        name: BySeed(each.down / each.none, each.none / each.none, each.up / each.none)
        for name, each in net.items()
    }
    default = net["default"]
    herded = sign(
        "an up-vote at birth raises the net votes of people, as a share of those without",
        ratio["default"].up - 1,
        1,
        MUCHNIK,
        matters=VOTES_MATTER,
    )
    up = [
        herded,
        band(
            "final net votes with an up-vote at birth over those without",
            ratio["default"].up,
            UP,
            f"+25 %, {MUCHNIK}",
        ),
        band(
            "the same with the seed vote itself in the score",
            # Which of the two was published is not known here, so this one is reported beside the
            # other.
            (default.up + 1) / default.none,
            UP,
            f"+25 %, {MUCHNIK}",
            aside=True,
        ),
    ]
    return [*up, *_down(net, ratio), *_hidden(seen, ratio["hidden"], herded)]


def _down(net: dict[str, BySeed], ratio: dict[str, BySeed]) -> list[Claim]:
    return [
        sign(
            "without the correction a down-vote at birth lowers net votes, as a share",
            ratio["uncorrected"].down - 1,
            -1,
            "asymmetry needs it",
            matters=VOTES_MATTER,
        ),
        sign(
            "the correction raises posts with a down-vote at birth, as a share of net votes "
            "without any",
            (net["default"].down - net["uncorrected"].down) / net["default"].none,
            1,
            MUCHNIK,
            matters=VOTES_MATTER,
        ),
        band(
            "final net votes with a down-vote at birth over those without",
            ratio["default"].down,
            DOWN,
            f"none, {MUCHNIK}",
        ),
    ]


def _hidden(seen: Readings, ratio: BySeed, herded: Claim) -> list[Claim]:
    """Controls: votes that nobody sees herd nobody."""
    return [
        vanishes(
            "votes hidden: ratio of posts with an up-vote at birth, less 1", ratio.up - 1, herded
        ),
        exact(
            "votes hidden: largest difference from a world without seed votes",
            np.abs(seen.study("hidden") - seen.study("hidden, unseeded")).max(),
            0,
            "FINDINGS F1 iii",
            of=herded,
            unit="votes",
        ),
    ]


def _curves_votes(seen: Readings) -> list[Curve]:
    made = []
    for name in ("default", "uncorrected", "hidden"):
        got = [interval(column) for column in (seen.study(name) / seen.study(name)[:, 1:2]).T]
        y, low, high = zip(*got, strict=True)
        made.append(
            Curve(
                "One vote at birth",
                name,
                x=SEEDS,
                y=y,
                low=low,
                high=high,
                x_label="seed vote",
                y_label="votes over unseeded ones",
                control=name == "hidden",
            )
        )
    return made


VOTES = Part(
    "votes",
    "One vote at birth herds the votes after it",
    varies="seed vote",
    judge=_judge_votes,
    studies=_studies,
    curves=_curves_votes,
)
