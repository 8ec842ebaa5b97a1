"""Finding 3: do ratings of works that are linked as co-viewed or as bought together converge, or
diverge?

Stoeckli & Khobzi (2021) give signs without coefficients: over substitute links ratings converge,
over complementary links they diverge.

    change of the gap between two average ratings = a + b_S S + b_C C + c gap + e

with b_S < 0 < b_C expected.
"""

from __future__ import annotations

from twin.experiments.findings.f3 import model, shelves
from twin.experiments.findings.kit.declare import Finding

FINDING = Finding(
    key="F3",
    title="Which recommender linked the works",
    sentence='"Frequently bought together" and "co-viewed" links give different convergence of '
    "opinion, "
    "because each gathers another audience with other prior expectations.",
    evidence="sign",
    sources=(
        "Stoeckli & Khobzi, Decision Support Systems 2021: signs, abstract; no coefficients, no "
        "sample size",
        "Oliver 1980 (kappa: sign)",
    ),
    parts=(model.PART, shelves.SHELVES, shelves.KAPPA),
    note="The two coefficients in worlds decide, each less that under a shelf of random links. The "
    "pair model is secondary, because its mechanism fixes its answer. By default "
    "(ratings.reference: via) the work whose page shows a co-viewed shelf sets the "
    "expectation of the works on it. A better neighbour then disappoints and a worse one "
    "flatters, so contrast drives the two ratings apart. Take k stars of rating per star of "
    "surprise, half of the expectation from the average on show, and everybody coming over "
    "the link. The gap of ratings then settles at (1 + k) / (1 - k) times the gap of "
    "qualities. It is (1 + k) / (1 + k / 2) over random links and (1 + k) / (1 - k / 2) over "
    "bought-together ones. So this mechanism cannot give the published sign, and the default "
    "is left as it is. Where people compare both works side by side (reference: comparison), "
    "the gap is that of qualities, below that of random links, and ratings converge in the "
    "pair model; this is reported. The paper explains its signs by audiences with other "
    "expectations. Links here do not gather such audiences yet. Sizes are unvalidated.",
)
