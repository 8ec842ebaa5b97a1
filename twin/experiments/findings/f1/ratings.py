"""Finding 1, selection: who rates at all makes the J shape of ratings.

It is read off worlds with works in them, in three samples: what is posted, what all buyers would
post, and what people drawn at random say when they have to judge. The last is everybody buying and
everybody reporting (Hu, Pavlou & Zhang 2009).
"""

from __future__ import annotations

import numpy as np

from twin.experiments.findings.kit.arms import Arm, Outcome, Size, because
from twin.experiments.findings.kit.claims import Claim, Matters, sign, vanishes
from twin.experiments.findings.kit.declare import Part
from twin.experiments.findings.kit.readings import Readings

HU = "Hu, Pavlou & Zhang, CACM 2009"
J_MATTERS = Matters(0.02, "assumption: two in a hundred ratings, moved from one star to the next")
STARS = Matters(0.1, "assumption: a tenth of a star, to which averages are commonly shown")

CHECK = [
    Outcome("rating_j_shape", "consumer", f"J shape of the {sample}", {"sample": sample})
    for sample in ("posted", "bought", "forced")
]
TAKEN, MEANT = (
    Outcome("rating_mean", "consumer", f"stars, {sample}", {"sample": sample})
    for sample in ("bought", "forced")
)
BIAS = Outcome("rating_bias", "producer", "average on show less true quality")
SMALL = because(
    "size: small",
    audience__initial="800",
    audience__arrivals="1/d",
    creators__human__initial="100",
    creators__human__arrivals="0.1/d",
    network__communities="6",
    recommender__lists="8",
    recommender__refresh="30min",
    metrics__every="1d",
)
LARGE = because(
    "size: medium",
    audience__initial="4000",
    audience__arrivals="5/d",
    creators__human__initial="500",
    creators__human__arrivals="0.3/d",
    recommender__refresh="30min",
    metrics__every="1d",
)
WORLD = {
    **because(
        "not part of this experiment",
        chatbots__enabled="false",
        campaigns__enabled="false",
        creators__ai__initial="0",
        creators__ai__arrivals="0/d",
    ),
    **because("works must exist to be rated", creators__human__work_share="0.5"),
}


def _judge_j(seen: Readings) -> list[Claim]:
    # Three samples of one world, so that they differ by who is asked and nothing else.
    posted, bought, forced = (seen.of("selective", outcome) for outcome in CHECK)
    everyone = [seen.of("everyone reports/everyone reports", outcome) for outcome in CHECK]
    even = [seen.of("no extremity/no extremity", outcome) for outcome in CHECK]
    bias = seen.effect("selective", "everyone reports/everyone reports", BIAS)
    more = sign(
        "J shape of posted ratings less that of what all buyers think",
        posted - bought,
        1,
        HU,
        matters=J_MATTERS,
    )
    return [
        sign("posted ratings are J-shaped", posted, 1, HU, matters=J_MATTERS),
        more,
        # The measure is above zero only where both ends rise over their neighbours.
        sign("everyone buys and everyone reports: no J shape", forced, -1, HU, matters=J_MATTERS),
        sign(
            "buyers like what they bought better than people at random",
            seen.of("selective", TAKEN) - seen.of("selective", MEANT),
            1,
            HU,
            matters=STARS,
            unit="stars",
        ),
        sign(
            "who reports biases the averages on show upwards",
            bias,
            1,
            HU,
            matters=STARS,
            unit="stars",
        ),
        vanishes(
            "everyone reports: J shape of the posted less that of the buyers",
            everyone[0] - everyone[1],
            more,
        ),
        vanishes(
            "reports at random: J shape of the posted less that of the buyers",
            even[0] - even[1],
            more,
        ),
    ]


J = Part(
    "ratings",
    "Who rates makes the J shape",
    varies="who reports",
    judge=_judge_j,
    arms=(
        # The first arm is the world of the part. Each control is an arm of its own, without a dose.
        Arm("selective", np.nan),
        Arm("everyone reports", np.nan, control="everyone reports"),
        Arm("no extremity", np.nan, control="no extremity"),
    ),
    outcomes=(*CHECK, TAKEN, MEANT, BIAS),
    world=WORLD,
    controls={
        "everyone reports": because(
            "everybody who buys also reports", ratings__reporting="everyone"
        ),
        "no extremity": because(
            "reports do not depend on stars", ratings__extremity="0", ratings__report_base="0.3"
        ),
    },
    quick=Size(4, 40, SMALL),
    full=Size(12, 60, LARGE),
)
