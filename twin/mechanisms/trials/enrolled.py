"""Who is counted as enrolled in a trial, also after they have left, and which creators were small
before it.

Enrolled under a policy are those who are active and those who left since it took effect (to the
reading before), so that a policy that drives people away does not look better for it. A policy
that is not in effect has lost nobody.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.mechanisms.trials.groups import Floats, Group
from twin.world.arms import MOST_SHARES, PAIRS
from twin.world.columns import lengthened
from twin.world.mechanism import Mechanism

TABLES = ("consumers", "creators")


class Enrolled:
    """Follows when each policy for a share took effect, and who left since."""

    def __init__(self, mechanism: Mechanism[Any]) -> None:
        self.m, self.keep, self.world = mechanism, mechanism.keep, mechanism.world

    def setup(self) -> None:
        """No policy is in effect."""
        for table in TABLES:
            self.keep[f"since.{table}"] = np.full(MOST_SHARES, -1, np.int64)
        # people whose rows were given back, by policy and arm
        self.keep["lost"] = np.zeros((MOST_SHARES, 1 << MOST_SHARES), np.int64)
        self.keep["small"] = np.ones(self.world.table("creators").capacity, bool)
        self._note_small()

    def born(self, table: str, rows: NDArray[np.int64]) -> None:
        """New creators are small."""
        if table == "creators":
            self.keep["small"] = lengthened(
                self.keep["small"], self.world.table(table).capacity, True
            )
            self.keep["small"][rows] = True

    def gone(self, table: str, rows: NDArray[np.int64]) -> None:
        """Remember people who left during a policy beyond their rows."""
        if table == "consumers":
            left, arm = self.m.read(table, "left_at")[rows], self.m.read(table, "arm")[rows]
            for policy, since in enumerate(self.keep["since.consumers"]):
                if since >= 0:
                    self.keep["lost"][policy] += np.bincount(
                        arm[left >= since], minlength=1 << MOST_SHARES
                    )

    def update(self, before: int) -> None:
        """Note which policies have taken effect since the reading at ``before`` (-1: none), and
        which have ended."""
        for table in TABLES:
            arms = self.world.arms.get(table, [{}])
            since = self.keep[f"since.{table}"].copy()
            for policy in range(MOST_SHARES):
                bit = 1 << policy
                held = bit < len(arms) and bool(arms[bit])
                if not held:
                    since[policy] = -1
                    if table == "consumers":
                        self.keep["lost"][policy] = 0
                elif since[policy] < 0:
                    since[policy] = before if before >= 0 else self.world.now
            self.keep[f"since.{table}"] = since
        if (self.keep["since.creators"] < 0).all():
            self._note_small()

    def _note_small(self) -> None:
        """Which creators are small now."""
        if self.world.has_service("creators.small"):
            small = self.world.service("creators.small")()
            self.keep["small"][: len(small)] = small

    def small_before(self) -> NDArray[np.bool_]:
        """Creators that were small at the last reading before any policy for a share of creators
        took effect, or entered since, bool (creators,)."""
        return self.keep["small"][: len(self.world.table("creators"))]

    def people(self, group: Group) -> Floats:
        """People enrolled in each group, float64 (ARMS,); NaN for everybody, for whom no policy
        begins."""
        made = group.count(group.here)
        made[0] = np.nan
        left_at, alive = (self.m.read("consumers", name) for name in ("left_at", "alive"))
        for policy, since in enumerate(self.keep["since.consumers"].tolist()):
            if since < 0:
                continue
            left = group.count(alive & ~group.here & (left_at >= since))
            lost = group.joined(self.keep["lost"][policy][: group.arms])
            for place, (number, _) in enumerate(PAIRS):
                if number == policy + 1:
                    pair = slice(1 + 2 * place, 3 + 2 * place)
                    made[pair] += left[pair] + lost[pair]
        return made
