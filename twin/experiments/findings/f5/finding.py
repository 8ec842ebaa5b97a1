"""Finding 5: collisions of IDs in fixed tables hurt under power-law traffic and worsen as new IDs
arrive, and a stale served model predicts worse.

Evidence: validated, by exact numbers.
"""

from __future__ import annotations

from twin.experiments.findings.f5 import holdout, load, static, sync
from twin.experiments.findings.kit.declare import Finding

FINDING = Finding(
    key="F5",
    title="Collisions of IDs",
    sentence="Hash collisions in fixed tables hurt, under power-law traffic, and worsen as new IDs "
    "arrive.",
    evidence="validated",
    sources=(
        "Liu et al., Monolith, arXiv 2209.07663",
        "FINDINGS F5: exact reproduction of table 1, correction by frequency",
    ),
    parts=(static.PART, holdout.PART, load.LOAD, sync.SYNC),
    note="Three claims decide: the AUC at 256 slots, how its loss grows as IDs arrive, and which "
    "IDs are damaged under Zipf traffic. Exact counts are secondary, and so are normalised entropy "
    "and the age of the served model. Models are judged on random slots, which no ranking chose "
    "and no table is trained on, under a feed that knows no model: so two tables learn from the "
    "same log and are judged on the same impressions. In a closed loop they would not be: a worse "
    "feed draws fewer clicks, and rarer clicks have a lower log loss. What people and creators meet "
    "there is reported beside it. Such a feed shows what is popular: its traffic is more skewed "
    "than that of a feed by taste. The stationary control has people and works of its own, and a "
    "warm-up in which the model gets to know them. Whom collisions hurt has two readings. The "
    "traffic at risk is where the traffic is: a frequent ID that shares a row puts much of it at "
    "risk. But other IDs distort the vector of an ID most where the ID is rare. 'Hardest on the "
    "popular' holds for the first reading, not for the second.",
)
