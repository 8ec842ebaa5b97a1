"""When creators post next: their clocks, kept in columns of creators (`twin.kernels.pace`)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.ground.rhythm import cumulated
from twin.kernels import pace as kernel
from twin.mechanisms.creators.params import CreatorsParams
from twin.world.mechanism import Mechanism
from twin.world.state import Made

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
SLOWEST = 1e-9
"""Posts per day below which a creator is as good as silent."""


class Timing:
    """Draws the gaps between posts; the n-th post of a creator has its own luck."""

    def __init__(self, mechanism: Mechanism[CreatorsParams]) -> None:
        self.m, self.p = mechanism, mechanism.p
        self.curve = cumulated(self.p.diurnal)
        self._speeds: Made[kernel.Speeds] = Made()
        self._clocks: Made[kernel.Clocks] = Made()

    def schedule(self, rows: Ints) -> None:
        """Draw the next post of each creator."""
        m, own = self.m, self.m.mine
        # by the number of posts made, as `kernel.take` draws it, so that either gives the same gap
        luck = m.uniforms(
            "gap", m.read("creators", "key")[rows], own("creators", "posts_made")[rows]
        )
        self._schedule(rows, luck[:, 0])

    def wake(self, rows: Ints) -> None:
        """Turn the flat clock of each creator into the second of its next post."""
        kernel.wake(rows, self._clock_columns())

    def take(self) -> tuple[Ints, Ints, Ints]:
        """Posts that are due now, in order of (time, creator): makers, times in s, and the number
        of each among its maker's posts (n,)."""
        m, own, now = self.m, self.m.mine, self.m.world.now
        made, again = [], True
        # a creator may post more than once in a window
        while again:
            due = kernel.take(
                own("creators", "next_at"),
                own("creators", "posts_made"),
                m.read("creators", "key"),
                m.stream("gap"),
                now,
            )
            if not len(due.luck):
                break
            made.append(due)
            again = self._schedule(due.maker, due.luck) < now
        if not made:
            return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64)
        maker, time, number = (
            np.concatenate([getattr(due, name) for due in made])
            for name in ("maker", "time", "number")
        )
        # rounds of the loop are put in order of time; number separates posts of the same second
        order = np.lexsort((number, maker, time))
        return maker[order], time[order], number[order]

    def _schedule(self, rows: Ints, luck: Floats) -> int:
        """Move the clocks of creators on; returns the earliest of their next posts."""
        speeds = self._speeds.get(self.m.world.tables["creators"].version, self._speed_columns)
        return int(kernel.schedule(rows, np.log(luck), speeds, self._clock_columns()))

    def _speed_columns(self) -> kernel.Speeds:
        own = self.m.mine
        return kernel.Speeds(
            rate=own("creators", "rate"),
            morale=own("creators", "morale"),
            pace=own("creators", "pace"),
            assisted=own("creators", "assisted"),
            campaign=own("creators", "campaign"),
            # of the type of the columns: the kernel multiplies speeds in four bytes
            assisted_rate=np.float32(self.p.assisted_rate),
            slowest=np.float32(SLOWEST),
        )

    def _clock_columns(self) -> kernel.Clocks:
        tables = self.m.world.tables
        stamp = tables["creators"].version, tables["consumers"].version
        return self._clocks.get(stamp, self._make_clocks)

    def _make_clocks(self) -> kernel.Clocks:
        own = self.m.mine
        return kernel.Clocks(
            flat_at=own("creators", "flat_at"),
            next_at=own("creators", "next_at"),
            active=own("creators", "active"),
            ai=own("creators", "ai"),
            person=own("creators", "person"),
            zone=self.m.read("consumers", "tz"),
            curve=self.curve,
        )
