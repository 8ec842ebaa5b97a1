"""Finding 5: collisions of IDs in fixed tables hurt under power-law traffic and worsen as new IDs
arrive, and a stale served model predicts worse.

Evidence: validated, by exact numbers.
"""

from __future__ import annotations

from twin.experiments.findings.f5 import load, static, sync
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
    parts=(static.PART, load.LOAD, sync.SYNC),
    note="Three claims decide: the AUC at 256 slots, how its loss grows as IDs arrive, and which "
    "IDs are damaged under Zipf traffic. Exact counts are secondary, and so is the age of the "
    "served model. Whom collisions hurt has two readings. The traffic at risk is where the "
    "traffic is: a frequent ID that shares a row puts much of it at risk. But other IDs "
    "distort the vector of an ID most where the ID is rare. 'Hardest on the popular' holds "
    "for the first reading, not for the second. In a closed loop the labels change with the "
    "feed: a worse feed draws fewer clicks, and rarer clicks have a lower log loss. So the "
    "log loss is reported, and counted over the entropy of the click rate. Both are measured "
    "on what the feed showed, not on impressions at random. Where nothing new arrives, the "
    "age of the served model should not matter. In worlds of weeks the model still learns its "
    "people, so this control may not vanish.",
)
