"""Finding 3: do ratings of works that are linked as co-viewed or as bought together converge, or
diverge?

Stoeckli & Khobzi (2021) give signs without coefficients: over substitute links ratings converge,
over complementary links they diverge.

    change of the gap between two average ratings = a + b_S S + b_C C + c gap + e

with b_S < 0 < b_C expected. The sentence says why: each link gathers another audience. So audiences
differ by who looks at which shelf, and no link says anything about ratings.
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
        "who looks at which shelf: assumption",
    ),
    parts=(model.PART, shelves.SHELVES, shelves.LOOKS),
    note="Three claims decide: the effects of the two kinds of link differ, and each has its "
    "published sign, all less the same under a shelf of random links. Assumed is who "
    "looks at which shelf: whom a work left wanting compares it with works that others "
    "viewed with it, and whom it pleased adds works that others bought with it; who "
    "expects more of works is harder to please (audience.shelf_drawn, off by default). So"
    " those who compare expect more than those who extend; what that does to ratings "
    "follows. The controls may fail: with equal audiences both works of a link still "
    "share raters, which may bring their ratings together whoever those are. No link sets"
    " an expectation here. By default one does (ratings.reference: via): the work whose "
    "page shows a co-viewed shelf is the reference of the works on it, which drives "
    "ratings apart by construction, and is no test. The abstract of the paper names no "
    "mechanism; that audiences expect other things is the sentence's reading of it. The "
    "pair model has the same laws without a feed, and is secondary. Sizes are "
    "unvalidated.",
)
