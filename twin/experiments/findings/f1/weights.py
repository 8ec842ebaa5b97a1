"""Finding 1, supply: how feed weights change what creators make, where the mechanism is isolated.

A world in which arousal draws comments and nothing else, nobody comes or leaves, and the feed
learns within days. Comments stand for the angry reaction, weighted in likes as Facebook did: 5, 4,
1.5, 0. The default world is asked in `twin.experiments.findings.f1.rewards`.
"""

from __future__ import annotations

from twin.experiments.findings.kit.arms import Arm, Outcome, Size, because
from twin.experiments.findings.kit.claims import Claim, Matters, sign, vanishes
from twin.experiments.findings.kit.declare import Part
from twin.experiments.findings.kit.readings import Readings
from twin.mechanisms.recommender.presets import effective, prized
from twin.mechanisms.recommender.weights import Rates

SOURCE = "FINDINGS F1 i: supply rises with weight x chance"
# In likes, from later years to earlier ones.
ANGRY = (0.0, 1.5, 4.0, 5.0)
SCALE = 4.0
"""Control: all weights times this; a power of two, so that products round in the same way."""
AROUSAL = Matters(0.02, "assumption: a fiftieth of the scale from 0 to 1")
MADE = Outcome(
    "creator_arousal", "producer", "arousal that creators aim at", {"by": "human"}, AROUSAL
)
POSTED = Outcome("supply_arousal", "producer", "arousal of new posts", {"by": "human"}, AROUSAL)
SHOWN = Outcome("shown_arousal", "consumer", "arousal of what is shown", matters=AROUSAL)
SPREAD = Outcome("opinion_variance", "consumer", "variance of opinion")
OTHERS = because(
    "not part of this experiment",
    chatbots__enabled="false",
    campaigns__enabled="false",
    ratings__enabled="false",
)
ISOLATED = {
    **OTHERS,
    **because(
        "not part of this experiment", creators__ai__initial="0", creators__ai__arrivals="0/d"
    ),
    **because(
        "nobody comes or leaves: only the behaviour of creators changes",
        audience__arrivals="0/d",
        audience__leave="0",
        creators__human__arrivals="0/d",
        creators__quit="0",
    ),
    **because(
        "isolates the mechanism: arousal draws comments and nothing else",
        audience__responses__comment__intercept="-4",
        audience__responses__comment__arousal="8",
        audience__responses__click__arousal="0",
        audience__counts_shown="false",
    ),
    **because(
        "isolates the mechanism: creators start in the middle and explore widely, post and respond "
        "at the same rate, and copy nobody",
        creators__human__arousal="0.5",
        creators__human__exploration="0.3",
        creators__human__posts_log_sd="0.2",
        creators__human__learning_log_sd="0",
        creators__human__imitation="0",
    ),
    **because(
        "time scale of a short run: creators and the feed learn in days, not months",
        creators__human__learning="0.5",
        recommender__training="online",
        recommender__sync_every="1h",
        recommender__dense_rate="0.2",
        recommender__dim="8",
    ),
    **because(
        "isolates the mechanism: every slot goes to what the weights favour",
        recommender__in_network_slots="0",
    ),
}
PLAIN = because(
    "score offset and multipliers off",
    recommender__negative_offset="0",
    recommender__out_of_network="1",
    recommender__author_decay="1",
    recommender__ai_factor="1",
    recommender__diversity="0",
    recommender__reward__weight="0",
)
FEW = because("size: fewer people, each of whom looks at more posts", audience__patience="0.95")
SMALL = (
    because(
        "size: small",
        audience__initial="400",
        creators__human__initial="60",
        network__communities="6",
        recommender__lists="8",
        metrics__every="1d",
        recommender__refresh="30min",
    )
    | FEW
)
LARGE = (
    because(
        "size: medium",
        audience__initial="2000",
        creators__human__initial="240",
        network__communities="12",
        recommender__lists="16",
        metrics__every="1d",
        recommender__refresh="30min",
    )
    | FEW
)


def _angry(weight: float, scale: float = 1.0) -> dict[str, str]:
    return {
        "recommender.preset": "likes",
        # The likes preset has weights of zero elsewhere, so these two are the whole score.
        "recommender.weights.like": f"{scale:g}",
        "recommender.weights.comment": f"{weight * scale:g}",
    }


def _judge(seen: Readings) -> list[Claim]:
    # A contrast and not a slope: nearly all of the effect may be there at the smallest weight.
    made, posted, shown = (
        sign(
            f"angry reactions count 5 likes rather than none: {outcome.words}",
            seen.effect("angry 5", "angry 0", outcome),
            1,
            SOURCE,
            matters=outcome.matters,
            primary=outcome is MADE,
        )
        for outcome in (MADE, POSTED, SHOWN)
    )
    # Only the ratio of weights can matter to a ranking: all of them times a constant must do
    # nothing.
    scaled = f"{TIMES}/4 x angry 5", f"{TIMES}/1 x angry 5"
    return [
        made,
        posted,
        shown,
        vanishes(
            f"creators who do not adapt, 5 likes rather than none: {MADE.words}",
            seen.effect(f"{STILL}/angry 5", f"{STILL}/angry 0", MADE),
            made,
        ),
        vanishes(
            f"all weights times 4, multipliers off: {MADE.words}",
            seen.effect(*scaled, MADE),
            made,
        ),
        vanishes(
            f"all weights times 4, multipliers off: {SHOWN.words}",
            seen.effect(*scaled, SHOWN),
            shown,
        ),
    ]


STILL, TIMES = "creators who do not adapt", "all weights x 4"
UNMOVED = because(
    "creators who do not adapt", creators__human__learning="0", creators__human__imitation="0"
)
ANGER = Part(
    "angry",
    "Feed weights pull producers (mechanism isolated)",
    varies="weight of the angry reaction, in likes",
    judge=_judge,
    arms=(
        *(Arm(f"angry {w:g}", w, _angry(w)) for w in ANGRY),
        # Both ends of the axis, which are what is contrasted.
        *(Arm(f"angry {w:g}", w, _angry(w), STILL) for w in (0.0, 5.0)),
        *(Arm(f"{c:g} x angry 5", 5.0, _angry(5.0, c), TIMES) for c in (1.0, SCALE)),
    ),
    outcomes=(MADE, POSTED, SHOWN, SPREAD),
    world=ISOLATED,
    controls={STILL: UNMOVED, TIMES: PLAIN},
    quick=Size(4, 14, SMALL),
    full=Size(10, 45, LARGE),
    doses=True,
    both_ends=(MADE, SHOWN),
)

PRESETS = ("likes", "x_2023")
# The dose of a preset is the weight of comments in what it optimises: they also differ in others.
COMMENT = {
    name: next(
        100 * share
        for head, _, _, share in prized(effective(name, Rates().model_dump()))
        if head == "comment"
    )
    for name in PRESETS
}
"""Percent that comments are of what a feed optimises, weight x rate, see `twin check`: 0, 33."""
