"""What the parts of the mechanism agree on: strategies and signals with their ranges, and
thresholds."""

from __future__ import annotations

from typing import NamedTuple

from twin.kernels import create

PUBLISHED = ("arousal", "comprehensiveness", "slant")
"""Strategies that are columns of creators and of posts alike."""


class Ranged(NamedTuple):
    """A name with the least and the greatest value that what it names can have."""

    name: str
    low: float
    high: float


RANGES = {"slant": (-1.0, 1.0)}
"""Ranges other than 0 to 1."""
STRATEGY = tuple(Ranged(name, *RANGES.get(name, (0.0, 1.0))) for name in create.STRATEGIES)
"""Everything that the learning rule moves, in the order of the columns ``tried``."""
SIGNALS = tuple(Ranged(name, *RANGES.get(name, (0.0, 1.0))) for name in create.SIGNALS)
"""What a classifier reads off a post, in the order of the column ``signal``."""
UNSET = -1e6
"""A baseline that no reward has set yet."""
RESPONDED = 0.1
"""Distance from the strategy at entry beyond which a creator counts as having moved: a post's
exploration (1 sd) at the defaults."""
INCENTIVES = ("arousal", "comprehensiveness", "slant")
"""What pay is regressed on; of slant its absolute value."""
MEMORY = 28
"""Days over which income, effort and incentives are averaged."""
BURNT_OUT = 0.25
"""Morale below which a creator counts as burnt out."""
