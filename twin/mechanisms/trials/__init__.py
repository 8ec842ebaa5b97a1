"""Trials: what an experimenter inside the platform reads off policies for a share of people. Read
only, and off unless asked for.

For a quantity z of persons and a policy for a share of them

    A/B estimate = mean z of the treated - mean z of the control group
    true effect  = mean z of everybody, policy for all - the same without it, in forked worlds
                 (`twin compare`)

Their difference is interference: the control group lives in a world that the treated have changed
(what they like trends, whom they follow earns), and the treated in one that the control group still
shapes. Who is still there only; before a policy for a share is in the plan there is no reading of
either group, and from then to the day on which it takes effect both groups are alike.

Which quantities there are follows from what mechanisms declare of their metrics (`Metric.by_arm`),
and which groups from the policies, up to four for a share of each table (`twin.world.arms`).
Sessions are counted by person (`twin.kernels.tally`), so that every group of people can be read,
also one that is made of several arms.

Source: the bias of A/B tests under interference, Saveski et al., KDD 2017; Holtz et al. 2020
(arXiv:2004.12489).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.ground.units import DAY
from twin.mechanisms.trials.counts import Counts
from twin.mechanisms.trials.enrolled import Enrolled
from twin.mechanisms.trials.groups import Group, spread
from twin.mechanisms.trials.pooled import distinct, entropy
from twin.world.mechanism import Mechanism
from twin.world.metric import ByArm
from twin.world.params import Duration, Params, par
from twin.world.state import World

__all__ = ["Trials", "TrialsParams"]


class TrialsParams(Params):
    """How the experimenter counts."""

    memory: Duration = par(
        7 * DAY,
        "time over which what a person opened fades from the diversity of what they open",
        unit="s",
        low=DAY,
        high=365 * DAY,
        source="assumption: a week of sessions, less than most trials last",
    )
    aroused_above: float = par(
        75.0,
        "percentile of arousal among the posts that there are, above which a post counts as aroused",
        unit="%",
        low=0,
        high=100,
        source="assumption: the upper quarter of supply",
    )


class Trials(Mechanism[TrialsParams]):
    """Readings by arm."""

    name = "trials"
    Params = TrialsParams
    order = 92
    replaced_by = "derived"
    reads = {
        "chatters": ("person", "sessions"),
        "consumers": ("active", "arm", "left_at", "sessions"),
        "creators": ("active", "ai", "arm", "community", "left_at"),
        "posts": ("arousal",),
    }
    reads_arms = True
    provides = ("tally", "chat_tally", "consumers.opened_entropy", "creators.small_before")

    def __init__(self, params: TrialsParams, world: World) -> None:
        super().__init__(params, world)
        self.counts = Counts(self)
        self.enrolled = Enrolled(self)
        world.provide("tally", self.counts.tally)
        world.provide("chat_tally", self.counts.chat_tally)
        world.provide("consumers.opened_entropy", self.counts.opened_entropy)
        world.provide("creators.small_before", self.enrolled.small_before)

    def setup(self) -> None:
        """Nothing was counted yet."""
        self.keep["at"] = np.full(1, -1, np.int64)
        self.counts.setup()
        self.enrolled.setup()

    def born(self, table: str, rows: NDArray[np.int64]) -> None:
        """Make room for what is counted of newcomers."""
        # those of the start are there before `setup`
        if "at" in self.keep:
            self.counts.born(table)
            self.enrolled.born(table, rows)

    def gone(self, table: str, rows: NDArray[np.int64]) -> None:
        """Whoever gets the row later begins at nothing."""
        if "at" in self.keep:
            self.enrolled.gone(table, rows)
            self.counts.gone(table, rows)

    def measure(self) -> None:
        """All readings by arm, of those who are active."""
        before = int(self.keep["at"][0])
        days = (self.world.now - before) / DAY if before >= 0 else np.nan
        self.enrolled.update(before)
        self.counts.advance()
        groups: dict[str, Group] = {}
        for metric in list(self.world.board.metrics.values()):
            for each in metric.by_arm:
                if each.table not in groups:
                    groups[each.table] = self._group(each.table)
                self._read(each, groups[each.table], days)
        self.counts.reset(days)
        self.keep["at"][0] = self.world.now

    def _group(self, table: str) -> Group:
        """Who is in which arm of a table, and who is there."""
        if table == "creators":
            here = self.read(table, "active") & ~self.read(table, "ai")
            return Group(self.read(table, "arm"), here, self._arms(table))
        arm, active = self.read("consumers", "arm"), self.read("consumers", "active")
        if table == "consumers":
            return Group(arm, active, self._arms(table))
        # chatters have rows of their own, and the arm of the person that they are
        users = self.read(table, "alive") & (self.read(table, "sessions") > 0)
        person = np.where(users, self.read(table, "person"), 0)
        return Group(arm[person], users & active[person], self._arms("consumers"))

    def _arms(self, table: str) -> int:
        return len(self.world.arms.get(table, [{}]))

    def _read(self, each: ByArm, group: Group, days: float) -> None:
        """Write one declared reading, of all groups."""
        here = group.here
        if each.among:
            here = here & self.counts.rows(each.table, each.among).astype(bool)
        if each.kind == "pooled":
            values = self._pooled(each, group)
        elif each.kind == "count":
            values = group.count(here)
        elif each.kind in ("ratio", "spread"):
            top, over = (self.counts.rows(each.table, name) for name in (each.top, each.over))
            n = group.positive(group.sums(over, here))
            values = group.sums(top, here) / n
            if each.kind == "spread":
                square = self.counts.rows(each.table, f"{each.top}_square")
                values = spread(values, group.sums(square, here) / n)
        else:
            rows = (
                self.counts.rise(each.table, each.top) / days
                if each.kind == "rate"
                else self.counts.rows(each.table, each.top)
            )
            values, apart = group.means(rows, here)
            if each.sd:
                self.world.board.set_all(f"trial_{each.name}_sd", apart.ravel())
        self.world.board.set_all(f"trial_{each.name}", values.ravel())

    def _pooled(self, each: ByArm, group: Group) -> NDArray[np.float64]:
        """What all rows of a group together give, float64 (ARMS,)."""
        if each.name == "distinct_posts":
            return distinct(group.joined(self.counts.shown()))
        if each.name == "opened_entropy_pooled":
            return entropy(group.joined(self.counts.opened_by_arm(group)))
        if each.name == "weekly_active":
            came = group.here & self.counts.rows("consumers", "came_this_week").astype(bool)
            return group.count(came) / group.positive(self.enrolled.people(group))
        raise KeyError(f"nobody pools {each.name}")
