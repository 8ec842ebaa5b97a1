"""Finding 6, supply: what human creators lose as posts by AI become more.

The dose is posts by AI per human post. Published studies do not report theirs. The band of uploads
is asked at 1, where AI doubles the supply; this was fixed before any run. AI works in half of the
communities, and humans in the others are the placebo.
"""

from __future__ import annotations

import numpy as np

from twin.experiments.findings.f6.arms import (
    ACCRUES,
    AI_REACH,
    ALIKE,
    APART,
    CONTENT,
    DOSES,
    ENDLESS,
    ENJOYED,
    EXITS,
    EXPOSED,
    FULL,
    HUMAN_REACH,
    INCOME,
    NAMELESS,
    NO_AI,
    OPENED,
    OTHERS,
    OUTCOMES,
    PEOPLE,
    PLACED,
    QUICK,
    REACH,
    SHARE,
    STAYS,
    WORLD,
    relative,
    supplied,
)
from twin.experiments.findings.kit.arms import Arm
from twin.experiments.findings.kit.claims import (
    Claim,
    afterwards,
    band,
    exact,
    moves,
    sign,
    vanishes,
)
from twin.experiments.findings.kit.declare import Part
from twin.experiments.findings.kit.judging import Array, slope
from twin.experiments.findings.kit.readings import Readings

BAND = (
    "uploads of exposed humans: del Rio-Chanona et al. -16..-25 %, Liu et al. -14..-20 %, Burtch "
    "et al. over -10 %"
)
ESSAY = "essay; NBER w34733"


def judge(seen: Readings) -> list[Claim]:
    """Displacement over supply, the placebo, and three controls: no AI, infinite attention, and AI
    creators that differ from human ones by name only."""
    return [
        *_displacement(seen),
        *_placebo(seen),
        exact(
            "control, no AI: human share of reach",
            # The lowest of all worlds: no share exceeds one, so all are one if it is.
            float(seen.of("0", SHARE).min()),
            1.0,
            "control",
        ),
        *_endless(seen),
        *_alike(seen),
        *_people(seen),
    ]


def _uploads(seen: Readings) -> Array:
    """Relative change of posts by exposed humans where AI doubles the supply (replicates,)."""
    return relative(seen, "1", "0", EXPOSED)


def _displacement(seen: Readings) -> list[Claim]:
    made = []
    for metric, way in ((SHARE, -1), (INCOME, -1), (EXITS, 1), (EXPOSED, -1)):
        doses, values = seen.doses(metric)
        made.append(
            sign(f"supply: {metric.words}, per sd of posts by AI", slope(doses, values), way, ESSAY)
        )
    made.append(
        band(
            "AI doubles the supply: uploads of exposed humans, change as a share",
            _uploads(seen),
            -0.25,
            -0.10,
            BAND,
        )
    )
    return made


def _placebo(seen: Readings) -> list[Claim]:
    # In the default feed all topics compete for the same slates, so this placebo need not be zero.
    # Where communities are separate it should be.
    apart = relative(seen, "apart/1", "apart/0", EXPOSED)
    return [
        vanishes(
            "placebo, topics without AI: uploads, change as a share",
            relative(seen, "1", "0", OTHERS),
            _uploads(seen),
        ),
        vanishes(
            "placebo, communities that keep to themselves: uploads where no AI works",
            relative(seen, "apart/1", "apart/0", OTHERS),
            apart,
            aside=True,
        ),
        sign("the same communities: uploads where AI works", apart, -1, ESSAY, aside=True),
    ]


def _endless(seen: Readings) -> list[Claim]:
    """Where everybody sees every post, AI takes nothing from anybody."""
    reach, uploads = relative(seen, "1", "0", REACH), _uploads(seen)
    made = [
        vanishes(
            "control, infinite attention: human posts examined, change as a share",
            relative(seen, "endless/1", "endless/0", REACH),
            reach,
        ),
        vanishes(
            "control, infinite attention: uploads where AI works",
            relative(seen, "endless/1", "endless/0", EXPOSED),
            uploads,
        ),
    ]
    for metric, beside in ((REACH, reach), (EXPOSED, uploads)):
        stays = vanishes(
            f"infinite attention where nobody leaves: {metric.words}, change as a share",
            relative(seen, "stays/1", "stays/0", metric),
            beside,
        )
        made.append(afterwards(stays))
    left = sign(
        "infinite attention: people who have not left, change as a share",
        relative(seen, "endless/1", "endless/0", PEOPLE),
        -1,
        "why the control does not vanish",
    )
    return [*made, afterwards(left)]


def _alike(seen: Readings) -> list[Claim]:
    """Where an AI creator differs from a human one by name only, its posts reach as many people."""
    # A log ratio: twice the reach and half of it are equally far from none.
    ahead = {
        arm: np.log(seen.of(arm, AI_REACH) / seen.of(arm, HUMAN_REACH))
        for arm in ("1", "alike/1", "placed/1", "nameless/1")
    }
    made = [
        vanishes(
            "control, equal accrual and all else: log of reach of an AI post over that of a human "
            "one",
            ahead["alike/1"],
            ahead["1"],
        )
    ]
    for arm, words in (
        ("placed/1", "niches as central"),
        ("nameless/1", "niches as central, same hours, nobody quits"),
    ):
        alike = vanishes(
            f"equal accrual and all else, {words}: log of reach of an AI post over that of a human "
            f"one",
            ahead[arm],
            ahead["1"],
        )
        made.append(afterwards(alike))
    return made


def _people(seen: Readings) -> list[Claim]:
    """What accrual and the supply move besides: reported, for no source gives a sign."""
    made = [
        moves(
            "AI posts that build reputation as human ones do: human share of reach",
            seen.effect("accrues/1", "1", SHARE),
            0.01,
            "no source",
            aside=True,
        )
    ]
    for metric in (ENJOYED, OPENED, CONTENT):
        doses, values = seen.doses(metric)
        made.append(
            moves(
                f"supply: {metric.words}, per sd of posts by AI",
                slope(doses, values),
                0.005,
                "no source",
                aside=True,
            )
        )
    return made


PART = Part(
    "supply",
    "Displacement, from no AI to twice what humans post",
    varies="posts by AI per human post",
    judge=judge,
    arms=[
        *(Arm(f"{dose:g}", dose, supplied(dose)) for dose in DOSES),
        Arm("0", 0.0, NO_AI, "apart"),
        Arm("1", 1.0, supplied(1.0), "apart"),
        Arm("0", 0.0, NO_AI, "endless"),
        # The default of 4 posts a day is dose 1; `ENDLESS` and `ALIKE` set rates of their own.
        Arm("1", 1.0, {}, "endless"),
        Arm("1", 1.0, {}, "alike"),
        Arm("1", 1.0, {}, "accrues"),
        Arm("0", 0.0, NO_AI, "stays"),
        Arm("1", 1.0, {}, "stays"),
        Arm("1", 1.0, {}, "placed"),
        Arm("1", 1.0, {}, "nameless"),
    ],
    outcomes=OUTCOMES,
    world=WORLD,
    controls={
        "apart": APART,
        "endless": ENDLESS,
        "alike": ALIKE,
        "accrues": ACCRUES,
        "stays": STAYS,
        "placed": PLACED,
        "nameless": NAMELESS,
    },
    full=FULL,
    quick=QUICK,
    doses=True,
    both_ends=(SHARE, ENJOYED),
)
