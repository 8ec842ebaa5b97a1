"""Finding 4: too few embedding dimensions favour the popular, starve niche creators, compound, and
cannot be patched afterwards.

The static part is validated on real data. That the effect compounds in a loop is known by its sign
only.
"""

from __future__ import annotations

from twin.experiments.findings.f4 import loop, static
from twin.experiments.findings.kit.declare import Finding

FINDING = Finding(
    key="F4",
    title="Low dimension favours the popular",
    sentence="Too few embedding dimensions favour the popular; niche creators starve of exposure; "
    "it "
    "compounds; it cannot be patched afterwards.",
    evidence="validated",
    sources=(
        "Ohsaka & Togashi, SIGIR 2023, arXiv 2305.13597",
        "FINDINGS F4: counts and MovieLens, computed",
    ),
    parts=(static.PART, loop.WORLDS, loop.PATCH, loop.BARE),
    note="Three claims decide: popularity of what is shown, income of niche creators, and whether "
    "the inequality of reach compounds. MovieLens, exact counts and patches are secondary. "
    "Re-ranking does change exposure. It cannot restore what a model of few dimensions does "
    "not know. Popularity and income are shares of their level at two dimensions, because "
    "their units have no scale.",
)
