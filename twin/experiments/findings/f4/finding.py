"""Finding 4: too few embedding dimensions favour the popular, starve niche creators, compound, and
cannot be patched afterwards.

The static part is validated on real data. That the effect compounds in a loop is known by its sign
only.
"""

from __future__ import annotations

from twin.experiments.findings.f4 import loop, static
from twin.experiments.findings.kit.declare import Finding

FINDING = Finding(
    "F4",
    "Low dimension favours the popular",
    "Too few embedding dimensions favour the popular; niche creators starve of exposure; it "
    "compounds; it cannot be patched afterwards.",
    "validated",
    (
        "Ohsaka & Togashi, SIGIR 2023, arXiv 2305.13597",
        "FINDINGS F4: counts and MovieLens, computed",
    ),
    (static.PART, loop.WORLDS, loop.PATCH, loop.BARE),
    "Re-ranking does change exposure. It cannot restore what a model of few dimensions does not "
    "know.",
)
