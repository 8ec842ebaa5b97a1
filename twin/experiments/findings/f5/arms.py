"""Finding 5: outcomes, and what its worlds have in common.

Worlds have hash tables for people, posts and creators, against tables with one row each. Rows are
recycled in neither, so that collisions are the only difference.

*A feed without a model* (`BLIND`) ranks by popularity. What it shows does not depend on any table,
so worlds that differ in their tables alone are the same world to the last click: every table learns
from the same log, and is judged on the same impressions. A third of the slots are uniform draws of all
posts, which no table is trained on (`twin.mechanisms.recommender.holdout`): that is the holdout.
The rest is traffic by popularity, as skewed as popularity makes it.
"""

from __future__ import annotations

import math

import numpy as np

from twin.experiments.findings.kit.arms import Arm, Outcome, Size, because, smaller
from twin.experiments.findings.kit.claims import Matters
from twin.experiments.findings.kit.means import Array
from twin.experiments.findings.kit.readings import Readings

SOURCE = "Monolith, Liu et al. 2209.07663"
CORRECTED = "FINDINGS F5, correction by frequency"
SLOTS = (1024, 256, 64)
ENTITIES = ("consumer", "post", "creator")
QUARTERS = tuple((i / 4, (i + 1) / 4) for i in range(4))
# The same four as `studies.SYNCS`, whose columns they label.
HOURS = (0.5, 1.0, 5.0, 24.0)
"""Intervals between two syncs of the served model, in streams."""
HELD_OUT = "random slots, never trained on"
AUC_MATTERS = Matters(
    0.003, "assumption: differences of some thousandths are what papers on click models report"
)
LOSS_MATTERS = Matters(0.003, "assumption: about half a per cent of the entropy of clicks")
NE_MATTERS = Matters(0.005, "assumption: half a per cent of the entropy of clicks")
AUC = Outcome(
    "model_auc_holdout", "producer", f"AUC of clicks on {HELD_OUT}", {"head": "click"}, AUC_MATTERS
)
LOSS = Outcome(
    "model_log_loss_holdout",
    "producer",
    f"log loss of clicks on {HELD_OUT}",
    {"head": "click"},
    LOSS_MATTERS,
)
ENTROPY = "normalised entropy of clicks on random slots"
MATCH = Outcome(
    "shown_match",
    "consumer",
    "match of what is shown to taste",
    matters=Matters(0.01, "assumption: a hundredth of a cosine, about a thirtieth of its level"),
)
GLAD = Outcome("enjoyed_per_session", "consumer", "posts per session that people are glad of")
GINI = Outcome(
    "exposure_gini",
    "producer",
    "Gini of reach across creators",
    matters=Matters(0.01, "assumption: a hundredth of the Gini, whose range is 0 to 1"),
)
OTHERS = because(
    "not part of this experiment",
    ratings__enabled="false",
    campaigns__enabled="false",
    chatbots__enabled="false",
    opinions__enabled="false",
)
BLIND = {
    **because(
        "the feed has no model, so that the same is shown whatever the tables hold",
        recommender__ranking="popularity",
    ),
    **because(
        "a holdout of uniform draws: a third of all slots, so that small worlds have enough of "
        "them, judged day by day, so that windows do not overlap",
        recommender__random_share="0.33",
        recommender__holdout_memory="1d",
    ),
    **because(
        "time scale of a short run: people look at more posts, so that the model gets to know "
        "them in weeks, not months",
        audience__patience="0.95",
    ),
}
STILL = "nothing new"
"""The stationary control."""
STATIONARY = because(
    "control: stationary: nobody comes or goes; works, which stay on show, are made in the warm-up "
    "alone, in which the model gets to know them and the people",
    policies=f"[{{name: {STILL}, at: 0d, set: {{creators.ai_posts_cap: 0}}}}]",
    audience__arrivals="0/d",
    audience__leave="0",
    creators__quit="0",
    creators__human__initial="1",
    creators__human__posts_mean="0/d",
    creators__human__arrivals="0/d",
    creators__ai__initial="40",
    creators__ai__posts_mean="1/d",
    creators__ai__work_share="1",
    recommender__work_expiry="3650d",
)


def tables(**what: object) -> dict[str, str]:
    """Settings of the embedding tables of people, posts and creators."""
    return {
        f"recommender.tables.{entity}.{key}": str(value)
        for entity in ENTITIES
        for key, value in what.items()
    }


def hashed(slots: int, control: str = "") -> Arm:
    """Hash tables of so many slots each."""
    return Arm(str(slots), slots, tables(kind="hash", slots=slots), control)


def own_rows(control: str) -> Arm:
    """Tables with one row an ID."""
    return Arm("collisionless", math.nan, tables(kind="collisionless"), control)


def size(replicates: int, days: int, people: int, creators: int, arrivals: float) -> Size:
    """Worlds in which so many people arrive a day."""
    return smaller(
        replicates,
        days,
        people,
        creators,
        because(
            "time scale: as many IDs arrive in the run as in years",
            audience__arrivals=f"{arrivals:g}/d",
        ),
        creators__human__arrivals=f"{creators / 2000:g}/d",
        creators__ai__initial=str(creators // 30),
        creators__ai__arrivals="0/d",
    )


def normalised(seen: Readings, arm: str) -> Array:
    """Log loss of clicks on the holdout over that of a model that knows their rate alone, in the
    last window (replicates,): normalised entropy, He et al., ADKDD 2014."""
    rate = seen.of(arm, "click_rate_holdout")
    return np.asarray(
        seen.of(arm, LOSS) / -(rate * np.log(rate) + (1 - rate) * np.log(1 - rate)), np.float64
    )


def apart(seen: Readings, one: str, other: str) -> float:
    """By how much two arms differ in what they are judged on, at most over worlds and windows: the
    number of impressions, their click rate, and the AUC that true chances of a click give there.
    Zero where impressions and clicks are the same."""
    return max(
        float(np.abs(seen.over_time(one, metric) - seen.over_time(other, metric)).max())
        for metric in ("model_holdout_size", "click_rate_holdout", "click_auc_ceiling")
    )
