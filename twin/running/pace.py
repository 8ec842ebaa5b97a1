"""The pace of a run: how many simulated days it may do per wall-clock second."""

from __future__ import annotations

import time

from twin.ground.units import DAY

LAG_S = 1.0
"""Wall-clock seconds of delay that a paced run makes up for afterwards."""


class Pace:
    """A limit in simulated days per second, or none, counted from simulated second ``now`` on."""

    def __init__(self, limit: float | None, now: int) -> None:
        self.limit = limit
        self.restart(now)

    def restart(self, now: int) -> None:
        """Count from here on: what a pause or a warm-up took is not made up for."""
        self._wall, self._at = time.monotonic(), now

    def ahead(self, now: int) -> bool:
        """Whether a run at ``now`` is ahead of its pace; never before its start.

        A delay (a checkpoint, a machine that slept) is made up for by at most LAG_S, so that the
        run does not race afterwards.
        """
        if self.limit is None or now < 0:
            return False
        ahead = (now - self._at) / DAY / self.limit - (time.monotonic() - self._wall)
        # Moves the origin, so that no more than LAG_S is left to make up for
        self._wall += max(0.0, -ahead - LAG_S)
        return ahead > 0
