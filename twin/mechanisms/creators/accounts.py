"""Accounts that campaigns run: AI-made, with a given slant, niche and pace, round the clock; they
adapt to nothing.

These are services: a mechanism that runs a campaign keeps the row numbers and drops them when the
rows are released. Campaign accounts are in no statistic of human or AI creators, earn nothing, and
stop only when dismissed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twin.ground.draws import children
from twin.ground.errors import StateError
from twin.ground.units import DAY
from twin.mechanisms.creators.params import CreatorsParams
from twin.mechanisms.creators.population import Population
from twin.mechanisms.creators.timing import SLOWEST, Timing
from twin.world.mechanism import Mechanism

Ints = NDArray[np.int64]


class Accounts:
    """Opens, steers and closes campaign accounts."""

    def __init__(
        self, mechanism: Mechanism[CreatorsParams], timing: Timing, population: Population
    ) -> None:
        self.m, self.keep = mechanism, mechanism.keep
        self.timing, self.population = timing, population
        for name in ("enlist", "dismiss", "throttle", "aim"):
            mechanism.world.provide(name, getattr(self, name))

    def enlist(
        self,
        count: int,
        slant: ArrayLike,
        rate_per_day: ArrayLike,
        niches: NDArray[np.float32],
        stream: str,
    ) -> Ints:
        """Open accounts; their keys are the next children of the stream's key. Returns the rows."""
        m, own, name = self.m, self.m.mine, f"enlisted.{stream}"
        # counted for good: a row is reused, a key never
        before = self.keep.setdefault(name, np.zeros(1, np.int64))
        keys = children(
            np.full(count, m.world.draws.stream(stream)), np.arange(before[0], before[0] + count)
        )
        before[0] += count
        rows = m.world.add(
            m.name, "creators", keys, ai=np.ones(count, bool), campaign=np.ones(count, bool)
        )
        # what a creator is born with is drawn as for any other, and replaced here
        self.aim(rows, slant, niches)
        own("creators", "rate")[rows] = rate_per_day
        # last: the gap to the first post follows from the rate (population.born leaves it out)
        self.timing.schedule(rows)
        return rows

    def dismiss(self, rows: Ints) -> None:
        """Close accounts."""
        self._check(rows)
        self.population.close(rows)

    def throttle(self, rows: Ints, rate_per_day: ArrayLike) -> None:
        """Change how often accounts post from now on: the time that is left until the next post
        shrinks or stretches with the rate."""
        self._check(rows)
        own, now = self.m.mine, self.m.world.now / DAY
        old = np.maximum(own("creators", "rate")[rows].astype(float), SLOWEST)
        own("creators", "rate")[rows] = rate_per_day
        # read back as the column holds it, in four bytes: an equal rate leaves the gap as it is
        new = np.maximum(own("creators", "rate")[rows].astype(float), SLOWEST)
        own("creators", "flat_at")[rows] = (
            now + np.maximum(own("creators", "flat_at")[rows] - now, 0) * old / new
        )
        self.timing.wake(rows)

    def aim(self, rows: Ints, slant: ArrayLike, niches: NDArray[np.float32]) -> None:
        """Change what accounts push and whom it suits; niches (n, 16) are made unit vectors."""
        self._check(rows)
        size = np.maximum(np.linalg.norm(niches, axis=1, keepdims=True), 1e-12)
        self.m.mine("creators", "slant")[rows] = np.clip(slant, -1, 1)
        self.m.mine("creators", "niche")[rows] = niches / size

    def _check(self, rows: Ints) -> None:
        if not self.m.mine("creators", "campaign")[rows].all():
            raise StateError("only accounts of campaigns can be steered by a campaign")
