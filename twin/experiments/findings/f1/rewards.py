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

All worlds warm up under the default preset, and arms are policies that take hold when the warm-up
is over. Comments are rare: about one a day among 800 people, whose feed has next to none to learn
from. So worlds of the quick set show that the design runs, and those of the full set are larger.
"""

from __future__ import annotations

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


def _reads(error: float) -> dict[str, str]:
    """All classifiers with errors of this sd."""
    return {f"recommender.signals.{name}.noise": f"{error:g}" for name in NOISY}


STOPPED = {
    "creators.human.learning": "0",
    "creators.human.imitation": "0",
    "creators.ai.learning": "0",
}
CHANGES: dict[str, dict[str, str]] = {
    "": {},
    **{_misread(error): _reads(error) for error in ERRORS},
    BLIND: _reads(UNREAD),
    STILL: STOPPED,
    PUBLISHED: {},
}
"""What each group of arms sets besides the weights."""


def _arm(name: str, dose: float, control: str, weights: dict[str, str]) -> Arm:
    """Levers that are set when the warm-up is over: it is the same for all arms, and done once."""
    levers = ", ".join(f"{path}: {value}" for path, value in (weights | CHANGES[control]).items())
    policies = f"[{{name: dose, at: 0d, set: {{{levers}}}}}]"
    return Arm(name, dose, {"policies": policies}, control)


def _pair(control: str = "") -> list[Arm]:
    """The two ends of the axis, which are what is contrasted."""
    return [
        _arm(
            f"angry {w:g}",
            w,
            control,
            {"recommender.preset": "likes", "recommender.weights.angry": f"{w:g}"},
        )
        for w in (0.0, 5.0)
    ]


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


def _size(replicates: int, days: int, people: int, creators: int, warm_up: int) -> Size:
    return Size(
        replicates,
        days,
        because(
            "effects are read off a world in which the feed knows its people and posts, under the "
            "default preset; shorter than the default world's own, as what still drifts drifts in "
            "both worlds of a pair",
            warm_up=f"{warm_up}d",
        )
        | because(
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
# Posts are paid within days and creators follow within weeks: what is read is the end.
END = ((0.75, 1.0),)
QUICK = _size(4, 14, 800, 120, warm_up=40)
# As many worlds as power asks for with the spread of the quick ones: 8 for pay, 5 to 7 for supply.
FULL = _size(8, 60, 6000, 1200, warm_up=150)
PAY = Part(
    "presets",
    "Feed weights pay creators (default world)",
    varies="weight of the angry reaction in the default world, in likes",
    judge=judge_pay,
    arms=(*_pair(), *_pair(BLIND)),
    outcomes=(PAID, MADE, SHOWN, SPREAD),
    world=WORLD,
    # What a control changes is in the policy of its arms.
    controls={BLIND: {}},
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
        _arm("x_2023", COMMENT["x_2023"], PUBLISHED, {"recommender.preset": "x_2023"}),
    ),
    outcomes=(POSTED, POSTED_AI, PAID, SHOWN),
    world=WORLD,
    controls={name: {} for name in CHANGES if name},
    quick=QUICK,
    # The worlds of those above, and more arms.
    full=FULL,
    windows=END,
)
PARTS = (PAY, SUPPLY)
