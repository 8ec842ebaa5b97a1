"""Finding 6: selection among drafts, and what platforms may do against displacement."""

from __future__ import annotations

import math

import numpy as np

from twin.experiments.findings.f6.arms import (
    CHANGE,
    CONTENT,
    DRAWN,
    ENJOYED,
    EXPOSED,
    FULL,
    INCOME,
    OPENED,
    OUTCOMES,
    POLICIES,
    QUICK,
    SHARE,
    SOON,
    WORLD,
    relative,
    size,
)
from twin.experiments.findings.kit.arms import Arm, because
from twin.experiments.findings.kit.claims import Claim, moves, sign, vanishes
from twin.experiments.findings.kit.declare import Part
from twin.experiments.findings.kit.means import slope
from twin.experiments.findings.kit.readings import Readings


def judge_drafts(seen: Readings) -> list[Claim]:
    """Selection: the best of several drafts takes more reach. Without AI there is nothing to
    select."""
    made = []
    for metric, matters in ((SHARE, SHARE.matters), (INCOME, CHANGE)):
        doses, values = seen.doses(metric)
        _, without = seen.doses(metric, "no AI")
        claim = sign(
            f"selection: {metric.words}, as a share of that with one draft, per sd of log drafts",
            # The best of n drafts gains about as much with every doubling of n.
            slope(np.log2(doses), values / values[0]),
            -1,
            "Nextdoor 2023: engagement comes from selection",
            matters=matters,
        )
        control = vanishes(
            f"no AI: {metric.words}, 16 drafts over 1, less one",
            without[-1] / without[0] - 1,
            claim,
            beside=values[-1] / values[0] - 1,
        )
        made += [claim, control]
    for metric in (EXPOSED, ENJOYED, OPENED):
        made.append(
            moves(
                f"selection: {metric.words}, 16 drafts over 1, change as a share",
                relative(seen, "16", "1", metric),
                "no source",
                matters=CHANGE,
                aside=True,
            )
        )
    return made


def judge_policies(seen: Readings) -> list[Claim]:
    """What each policy restores and what it costs: reported, for the finding makes no claim about
    policies."""
    return [
        moves(
            f"{name}: {metric.words}, change as a share",
            relative(seen, name, "none", metric),
            "no source",
            matters=CHANGE,
            aside=True,
        )
        for name in POLICIES
        for metric in (SHARE, EXPOSED, INCOME, ENJOYED, OPENED, CONTENT)
    ]


def _drafts(counts: tuple[int, ...], control: str = "") -> list[Arm]:
    return [
        # One is the default: these worlds are those of the supply experiment.
        Arm(str(count), float(count), {"creators.drafts": str(count)} if count > 1 else {}, control)
        for count in counts
    ]


DRAFTS = Part(
    "drafts",
    "Selection, from one draft to the best of sixteen",
    varies="drafts of an AI post",
    judge=judge_drafts,
    arms=[*_drafts((1, 4, 16)), *_drafts((1, 16), "no AI")],
    outcomes=OUTCOMES,
    world=WORLD,
    drawn=DRAWN,
    controls={"no AI": because("no AI", creators__ai__initial="0")},
    full=FULL,
    quick=QUICK,
    doses=True,
    log_dose=True,
    both_ends=(SHARE, ENJOYED),
)
POLICY = Part(
    "policies",
    "Which policies restore human reach, and what they cost consumers",
    varies="policy",
    judge=judge_policies,
    arms=[Arm("none", math.nan), *(Arm(name, math.nan, sets) for name, sets in POLICIES.items())],
    outcomes=OUTCOMES,
    world=WORLD
    | because(
        "supply by AI responds to income, as that of humans does",
        creators__ai__supply_elasticity="0.33",
    ),
    drawn=DRAWN,
    full=size(8, 90, 1000, 200),
    quick=size(4, 6, 300, 50, SOON),
)
