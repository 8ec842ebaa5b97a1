"""Finding 1, what a feed pays for in the default world: creators' incentive, and what they make of
it.

*Incentive* (primary). The slope of log pay on arousal within creators, as the twin measures it
(`twin.mechanisms.creators.incentives`), where an angry reaction counts 5 likes, less where it
counts none. Facebook's reactions come with comments here, one each (``rates.angry``); likes are the
rest of what the feed optimises.

*Supply* (second). The arousal of what humans and AI then post. Creators learn slowly: weeks of
worlds show the beginning of it.

*Dose*. How well the feed reads posts: the sd of the error of its classifiers. What it cannot see it
cannot reward, so both effects fall with it; with an error so large that nothing is read, the first
must vanish. Where creators do not adapt, the second must, and the first must not.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from twin.experiments.findings.f1.weights import COMMENT, MADE, OTHERS, POSTED, SHOWN, SPREAD
from twin.experiments.findings.kit import means
from twin.experiments.findings.kit.arms import Arm, Outcome, Size, because
from twin.experiments.findings.kit.claims import Claim, Matters, sign, vanishes
from twin.experiments.findings.kit.declare import Part
from twin.experiments.findings.kit.readings import Readings
from twin.mechanisms.recommender.signals import NOISY

SOURCE = "FINDINGS F1 i: supply rises with weight x chance"
READS = "DESIGN D13: how well a feed reads posts decides how hard weights pull"
PAID = Outcome(
    "incentive_slope",
    "producer",
    "what arousal pays human creators, log pay over its whole scale",
    {"of": "arousal", "by": "human"},
    Matters(0.1, "assumption: a tenth more or less pay from no arousal to full arousal"),
)
POSTED_AI = Outcome(
    "supply_arousal", "producer", "arousal of new posts by AI", {"by": "ai"}, POSTED.matters
)
DEFAULT_ERROR = 0.1
"""Of the classifiers of the default world."""
ERRORS = (0.2, 0.4)
UNREAD = 100.0
"""An error with which the readings of posts tell nothing, on scales of 1 or 2."""
STILL, BLIND, PUBLISHED = (
    "creators who do not adapt",
    "a feed that cannot read",
    "published weights",
)


def _misread(error: float) -> str:
    return f"classifiers err by {error:g}"


def _reads(error: float, reason: str) -> dict[str, tuple[str, str]]:
    """All classifiers with errors of this sd."""
    return because(
        reason, **{f"recommender__signals__{name}__noise": f"{error:g}" for name in NOISY}
    )


def _weighs(likes: float) -> dict[str, str]:
    return {"recommender.preset": "likes", "recommender.weights.angry": f"{likes:g}"}


def _pair(control: str = "") -> list[Arm]:
    """The two ends of the axis, which are what is contrasted."""
    return [Arm(f"angry {w:g}", w, _weighs(w), control) for w in (0.0, 5.0)]


def _contrast(seen: Readings, outcome: Outcome, control: str = "") -> means.Array:
    where = f"{control}/" if control else ""
    return seen.effect(f"{where}angry 5", f"{where}angry 0", outcome)


WHAT = "default world, angry reactions count 5 likes rather than none"


def _effects(seen: Readings, *outcomes: Outcome) -> list[Claim]:
    """Each outcome: the contrast, and that it vanishes under a feed that cannot read."""
    made = []
    for outcome in outcomes:
        claim = sign(
            f"{WHAT}: {outcome.words}",
            _contrast(seen, outcome),
            1,
            SOURCE,
            matters=outcome.matters,
            primary=outcome is PAID,
        )
        unread = f"default world, {BLIND}: {outcome.words}"
        made += [claim, vanishes(unread, _contrast(seen, outcome, BLIND), claim)]
    return made


def judge_pay(seen: Readings) -> list[Claim]:
    """What creators are paid for, and what people are shown."""
    return _effects(seen, PAID, SHOWN)


def judge_supply(seen: Readings) -> list[Claim]:
    """What creators make of it, over how well the feed reads; and a published feed."""
    supply = _effects(seen, POSTED, POSTED_AI)
    unmoved = [
        vanishes(f"default world, {STILL}: {outcome.words}", _contrast(seen, outcome, STILL), claim)
        for outcome, claim in ((POSTED, supply[0]), (POSTED_AI, supply[2]))
    ]
    # An incentive is there whether it is followed or not.
    offered = sign(
        f"default world, {STILL}: {PAID.words}",
        _contrast(seen, PAID, STILL),
        1,
        SOURCE,
        matters=PAID.matters,
    )
    return [*supply, *unmoved, offered, *_doses(seen), *_published(seen)]


def _doses(seen: Readings) -> list[Claim]:
    """The contrasts over the error of classifiers, from the default world's error upwards."""
    doses = np.log([DEFAULT_ERROR, *ERRORS])
    return [
        sign(
            f"the worse classifiers read, the less angry reactions do (per sd of log error): "
            f"{outcome.words}",
            means.slope(
                doses,
                np.array(
                    [
                        _contrast(seen, outcome),
                        *(_contrast(seen, outcome, _misread(error)) for error in ERRORS),
                    ]
                ),
            ),
            -1,
            READS,
            matters=outcome.matters,
        )
        for outcome in (PAID, POSTED, POSTED_AI)
    ]


def _published(seen: Readings) -> list[Claim]:
    return [
        sign(
            f"default world, x_2023 (comments are {COMMENT['x_2023']:.0f} % of what it optimises) "
            f"against likes alone: {outcome.words}",
            seen.effect(f"{PUBLISHED}/x_2023", "angry 0", outcome),
            1,
            SOURCE,
            matters=outcome.matters,
        )
        for outcome in (PAID, POSTED, SHOWN)
    ]


def _size(replicates: int, days: int, people: int, creators: int) -> Size:
    return Size(
        replicates,
        days,
        because(
            "size: smaller, in coarser steps; AI creators as many of a hundred as in the default "
            "world",
            audience__initial=str(people),
            audience__arrivals="0/d",
            creators__human__initial=str(creators),
            creators__ai__initial=str(round(creators * 0.03)),
            network__communities="6",
            recommender__lists="8",
            recommender__refresh="30min",
            metrics__every="1d",
        ),
    )


WORLD = OTHERS | because(
    "nobody comes or leaves (a person who leaves may be a creator): only the behaviour of creators "
    "changes",
    audience__leave="0",
    creators__human__arrivals="0/d",
    creators__ai__arrivals="0/d",
    creators__quit="0",
)
UNREADABLE = _reads(UNREAD, "control: readings of posts that tell nothing")
# Posts are paid within days and creators follow within weeks: what is read is the end.
END = ((0.75, 1.0),)
QUICK = _size(4, 20, 800, 120)
# Worlds of issue 18's size, in which the slope has an sd of about 0.2 between worlds.
FULL = _size(24, 60, 3000, 600)
PAY = Part(
    "presets",
    "Feed weights pay creators (default world)",
    varies="weight of the angry reaction in the default world, in likes",
    judge=judge_pay,
    arms=(*_pair(), *_pair(BLIND)),
    outcomes=(PAID, MADE, SHOWN, SPREAD),
    world=WORLD,
    controls={BLIND: UNREADABLE},
    quick=QUICK,
    full=FULL,
    windows=END,
    doses=True,
    both_ends=(MADE, SHOWN),
)
SUPPLY = Part(
    "supply",
    "Creators follow what they are paid for (default world)",
    varies="weight of the angry reaction, and how well the feed reads posts",
    judge=judge_supply,
    arms=(
        *_pair(),
        *(arm for error in ERRORS for arm in _pair(_misread(error))),
        *_pair(BLIND),
        *_pair(STILL),
        Arm("x_2023", COMMENT["x_2023"], {"recommender.preset": "x_2023"}, PUBLISHED),
    ),
    outcomes=(POSTED, POSTED_AI, PAID, SHOWN),
    world=WORLD,
    controls={
        **{
            _misread(error): _reads(error, "dose: how well the feed's classifiers read posts")
            for error in ERRORS
        },
        BLIND: UNREADABLE,
        STILL: because(
            "control: creators who do not adapt",
            creators__human__learning="0",
            creators__human__imitation="0",
            creators__ai__learning="0",
        ),
        # The arm's own setting is all that differs.
        PUBLISHED: {},
    },
    quick=QUICK,
    # The first worlds of those above, and more arms in them.
    full=replace(FULL, replicates=10),
    windows=END,
)
PARTS = (PAY, SUPPLY)
