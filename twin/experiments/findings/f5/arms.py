"""Finding 5: outcomes, and the size of its worlds.

Worlds have hash tables for people, posts and creators, against tables with one row each. Rows are
recycled in neither, so that collisions are the only difference.
"""

from __future__ import annotations

from twin.experiments.findings.kit.arms import Outcome, Size, because, smaller
from twin.experiments.findings.kit.claims import Matters

SOURCE = "Monolith, Liu et al. 2209.07663"
CORRECTED = "FINDINGS F5, correction by frequency"
SLOTS = (4096, 1024, 256, 64)
ENTITIES = ("consumer", "post", "creator")
QUARTERS = tuple((i / 4, (i + 1) / 4) for i in range(4))
# The same four as `studies.SYNCS`, whose columns they label.
HOURS = (0.5, 1.0, 5.0, 24.0)
"""Intervals between two syncs of the served model."""
LOSSES = Matters(0.003, "assumption: about half a per cent of the entropy of clicks")
AUC = Outcome(
    "model_auc",
    "producer",
    "progressive AUC of clicks",
    {"head": "click"},
    Matters(
        0.003, "assumption: differences of some thousandths are what papers on click models report"
    ),
)
LOSS = Outcome(
    "model_log_loss", "producer", "progressive log loss of clicks", {"head": "click"}, LOSSES
)
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


def tables(**what: object) -> dict[str, str]:
    """Settings of the embedding tables of people, posts and creators."""
    return {
        f"recommender.tables.{entity}.{key}": str(value)
        for entity in ENTITIES
        for key, value in what.items()
    }


def size(
    replicates: int, days: int, people: int, creators: int, arrivals: float, every: str
) -> Size:
    """Worlds in which so many people arrive a day, read ``every`` so often."""
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
        metrics__every=every,
    )
