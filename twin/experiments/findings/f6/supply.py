"""Finding 6, supply: whether comprehensiveness captures attention, and what human creators lose as
posts by AI become more.

The dose is posts by AI per human post. Published studies do not report theirs. The band of uploads
is asked at 1, where AI doubles the supply; this was fixed before any run. AI works in half of the
communities, and humans in the others are the placebo.
"""

from __future__ import annotations

from twin.experiments.findings.f6.arms import (
    APART,
    BLIND,
    CHANGE,
    CONTENT,
    DOSES,
    DRAWN,
    ENJOYED,
    EXITS,
    EXPOSED,
    FALL,
    FULL,
    INCOME,
    NAMELESS,
    NO_AI,
    OPENED,
    OTHERS,
    OUTCOMES,
    PLAIN,
    QUICK,
    REACH,
    SAME,
    SHARE,
    STAYS,
    WORLD,
    ahead,
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


REACHED = Matters(0.05, "assumption: five per cent more people")


def judge(seen: Readings) -> list[Claim]:
    """Capture by comprehensiveness, and displacement over supply, with their controls: nobody cares
    for comprehensiveness; infinite attention from which nobody leaves; communities without AI. Then
    makers alike in all but who makes."""
    reach, uploads = (
        sign(
            f"AI doubles the supply: {metric.words}, change as a share",
            relative(seen, "1", "0", metric),
            -1,
            ESSAY,
            matters=FALL,
            primary=True,
        )
        for metric in (REACH, EXPOSED)
    )
    return [
        *_capture(seen),
        reach,
        uploads,
        *_endless(seen, reach, uploads),
        *_placebo(seen, uploads),
        *_displacement(seen, uploads),
        *_alike(seen),
        *_people(seen),
    ]


def _capture(seen: Readings) -> list[Claim]:
    """What comprehensiveness adds to the reach of an AI post, where it has its way to attention and
    where it has none."""
    words = "what its comprehensiveness adds to the reach of an AI post over a human one, log ratio"
    main = sign(
        words,
        ahead(seen, "1") - ahead(seen, "plain/1"),
        1,
        "essay: AI captures engagement by comprehensiveness",
        matters=REACHED,
        primary=True,
    )
    return [
        main,
        vanishes(
            f"nobody cares for it: {words}",
            ahead(seen, "blind/1") - ahead(seen, "blind plain/1"),
            main,
        ),
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
    """Where everybody sees every post and nobody leaves, AI takes nothing from anybody."""
    return [
        vanishes(
            f"infinite attention where nobody leaves: {metric.words}, change as a share",
            relative(seen, "stays/1", "stays/0", metric),
            main,
        )
        for metric, main in zip((REACH, EXPOSED), mains, strict=True)
    ]


def _alike(seen: Readings) -> list[Claim]:
    """Makers alike in all but who makes: their posts reach as many people as human ones, and as
    many posts of theirs displace less."""
    main = sign(
        "an AI post reaches more people than a human one: log of the ratio",
        ahead(seen, "1"),
        1,
        ESSAY,
        matters=REACHED,
    )
    return [
        main,
        vanishes(
            "makers alike in all but who makes: log of reach of an AI post over that of a human one",
            ahead(seen, "nameless/1"),
            main,
        ),
        *(
            sign(
                f"AI doubles the supply, less makers alike in all but who makes and how much: "
                f"{metric.words}, change as a share",
                relative(seen, "1", "0", metric) - relative(seen, "same/1", "0", metric),
                -1,
                ESSAY,
                matters=FALL,
            )
            for metric in (REACH, EXPOSED)
        ),
    ]


def _people(seen: Readings) -> list[Claim]:
    """What the supply moves besides: reported, for no source gives a sign."""
    made = []
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
        *(
            Arm(name, dose, sets, control)
            for control in ("apart", "stays")
            # The default of 4 posts a day is dose 1; `STAYS` sets rates of its own.
            for name, dose, sets in (("0", 0.0, NO_AI), ("1", 1.0, {}))
        ),
        *(
            Arm("1", 1.0, {}, control)
            for control in ("plain", "blind", "blind plain", "same", "nameless")
        ),
    ],
    outcomes=OUTCOMES,
    world=WORLD,
    drawn=DRAWN,
    controls={
        "apart": APART,
        "stays": STAYS,
        "plain": PLAIN,
        "blind": BLIND,
        "blind plain": BLIND | PLAIN,
        "same": SAME,
        "nameless": NAMELESS,
    },
    full=FULL,
    quick=QUICK,
    doses=True,
    both_ends=(SHARE, ENJOYED),
)
