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
    CHANGE,
    CONTENT,
    DOSES,
    ENDLESS,
    ENJOYED,
    EXITS,
    EXPOSED,
    FALL,
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
    Matters,
    band,
    exact,
    moves,
    sign,
    vanishes,
)
from twin.experiments.findings.kit.declare import Part
from twin.experiments.findings.kit.means import slope
from twin.experiments.findings.kit.readings import Readings

BAND = (
    "uploads of exposed humans: del Rio-Chanona et al. -16..-25 %, Liu et al. -14..-20 %, Burtch "
    "et al. over -10 %"
)
ESSAY = "essay; NBER w34733"


def judge(seen: Readings) -> list[Claim]:
    """Displacement over supply with its controls: infinite attention from which nobody leaves, and
    communities without AI. Then what AI posts reach, against AI creators that differ by name
    only."""
    reach = sign(
        f"AI doubles the supply: {REACH.words}, change as a share",
        relative(seen, "1", "0", REACH),
        -1,
        ESSAY,
        matters=FALL,
        primary=True,
    )
    uploads = sign(
        f"AI doubles the supply: {EXPOSED.words}, change as a share",
        relative(seen, "1", "0", EXPOSED),
        -1,
        ESSAY,
        matters=FALL,
        primary=True,
    )
    return [
        reach,
        uploads,
        *_endless(seen, reach, uploads),
        *_placebo(seen, uploads),
        *_displacement(seen, uploads),
        *_alike(seen),
        *_people(seen),
    ]


def _displacement(seen: Readings, uploads: Claim) -> list[Claim]:
    share, income, exits = (
        sign(
            f"supply: {metric.words}, per sd of posts by AI",
            slope(doses, values / values[0] if metric is INCOME else values),
            way,
            ESSAY,
            # Income has no scale: it is a share of the income without AI.
            matters=CHANGE if metric is INCOME else metric.matters,
        )
        for metric, way in ((SHARE, -1), (INCOME, -1), (EXITS, 1))
        for doses, values in (seen.doses(metric),)
    )
    return [
        share,
        exact(
            "no AI: human share of reach",
            # The lowest of all worlds: no share exceeds one, so all are one if it is.
            float(seen.of("0", SHARE).min()),
            1.0,
            "control",
            of=share,
        ),
        income,
        exits,
        band(
            "AI doubles the supply: uploads of exposed humans, in the published band",
            uploads.values,
            (-0.25, -0.10),
            BAND,
            matters=FALL,
        ),
    ]


def _placebo(seen: Readings, uploads: Claim) -> list[Claim]:
    # In the default feed all topics compete for the same slates, so this placebo need not be zero.
    # Where communities are separate it should be.
    apart = relative(seen, "apart/1", "apart/0", EXPOSED)
    return [
        vanishes(
            "communities that keep to themselves: uploads where no AI works, change as a share",
            relative(seen, "apart/1", "apart/0", OTHERS),
            uploads,
            beside=apart,
        ),
        sign(
            "the same communities: uploads where AI works, change as a share",
            apart,
            -1,
            ESSAY,
            matters=FALL,
        ),
        vanishes(
            "topics without AI in the default feed: uploads, change as a share",
            relative(seen, "1", "0", OTHERS),
            uploads,
            aside=True,
        ),
    ]


def _endless(seen: Readings, *mains: Claim) -> list[Claim]:
    """Where everybody sees every post and nobody leaves, AI takes nothing from anybody. Where
    people may leave, less satisfied people do, which is another mechanism: reported."""
    made = []
    for world, words in (
        ("stays", "infinite attention where nobody leaves"),
        ("endless", "infinite attention where people may leave"),
    ):
        made += [
            vanishes(
                f"{words}: {metric.words}, change as a share",
                relative(seen, f"{world}/1", f"{world}/0", metric),
                main,
                aside=world == "endless",
            )
            for metric, main in zip((REACH, EXPOSED), mains, strict=True)
        ]
    left = sign(
        "infinite attention: people who have not left, change as a share",
        relative(seen, "endless/1", "endless/0", PEOPLE),
        -1,
        "people leave whatever they can see",
        matters=CHANGE,
        aside=True,
    )
    return [*made, left]


def _alike(seen: Readings) -> list[Claim]:
    """Where an AI creator differs from a human one by name only, its posts reach as many people."""
    # A log ratio: twice the reach and half of it are equally far from none.
    ahead = {
        arm: np.log(seen.of(arm, AI_REACH) / seen.of(arm, HUMAN_REACH))
        for arm in ("1", "alike/1", "placed/1", "nameless/1")
    }
    main = sign(
        "an AI post reaches more people than a human one: log of the ratio",
        ahead["1"],
        1,
        ESSAY,
        matters=Matters(0.05, "assumption: five per cent more people"),
    )
    return [
        main,
        *(
            vanishes(
                f"AI creators as human ones in {words}: log of reach of an AI post over that of a "
                f"human one",
                ahead[arm],
                main,
                # Only the last leaves no difference; the others show which one matters.
                aside=arm != "nameless/1",
            )
            for arm, words in (
                ("nameless/1", "all but who makes the posts"),
                ("placed/1", "all but hours and quitting"),
                ("alike/1", "all but niches, hours and quitting"),
            )
        ),
    ]


def _people(seen: Readings) -> list[Claim]:
    """What accrual and the supply move besides: reported, for no source gives a sign."""
    made = [
        moves(
            "AI posts that build reputation as human ones do: human share of reach",
            seen.effect("accrues/1", "1", SHARE),
            "no source",
            matters=SHARE.matters,
            aside=True,
        )
    ]
    for metric in (ENJOYED, OPENED, CONTENT):
        doses, values = seen.doses(metric)
        made.append(
            moves(
                f"supply: {metric.words}, per sd of posts by AI",
                slope(doses, values),
                "no source",
                matters=metric.matters,
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
