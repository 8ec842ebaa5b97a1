"""What is counted between two readings, and values by row under the names that declarations use."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.ground.units import DAY
from twin.kernels import tally as kernel
from twin.kernels.tally import CHATTER, PERSON, Tally
from twin.mechanisms.trials.groups import Floats, Group
from twin.mechanisms.trials.pooled import entropy
from twin.world.columns import lengthened
from twin.world.mechanism import Mechanism

RECORDS = {"consumers": "person", "chatters": "chatter"}
"""Names of the records of counts, by table."""
FADED = 0.1
"""Posts opened lately below which a person counts as having opened none."""
BEFORE = "before."
"""Of the names under which running totals are kept as of the last reading."""


class Counts:
    """Holds the records that kernels write, in the ``keep`` of the mechanism."""

    def __init__(self, mechanism: Mechanism[Any]) -> None:
        self.m, self.keep, self.world = mechanism, mechanism.keep, mechanism.world
        # Rises of this reading: two declarations may ask for the same one
        self._risen: dict[tuple[str, str], Floats] = {}

    def setup(self) -> None:
        """Nothing was counted yet."""
        people = self.world.table("consumers").capacity
        communities = len(self.world.service("community_centres")())
        self.keep["person"] = np.zeros(people, PERSON)
        self.keep["opened"] = np.zeros((people, communities), np.float32)
        self.keep["mark"] = np.full(1, np.inf)
        self.keep["shown"] = np.zeros((self.world.table("posts").capacity, 1), np.int32)
        self.keep["shown_gone"] = np.zeros((0, 1), np.int32)
        if "chatters" in self.world.tables:
            self.keep["chatter"] = np.zeros(self.world.table("chatters").capacity, CHATTER)
        self.advance()

    def born(self, table: str) -> None:
        """Make room for new rows."""
        size = self.world.table(table).capacity
        for name in {"consumers": ("person", "opened"), "posts": ("shown",)}.get(
            table, ("chatter",) if table == "chatters" else ()
        ):
            self.keep[name] = lengthened(self.keep[name], size)

    def gone(self, table: str, rows: NDArray[np.int64]) -> None:
        """Whoever gets the rows later begins at nothing; posts that are gone were shown all the
        same."""
        for name, kept in self.keep.items():
            if name.startswith(f"{BEFORE}{table}."):
                kept[rows[rows < len(kept)]] = 0
        if table == "consumers":
            self.keep["person"][rows] = np.zeros(1, PERSON)[0]
            self.keep["opened"][rows] = 0
        elif table == "chatters":
            self.keep["chatter"][rows] = np.zeros(1, CHATTER)[0]
        elif table == "posts":
            shown = self.keep["shown"][rows]
            self.keep["shown_gone"] = np.concatenate(
                [self.keep["shown_gone"], shown[shown.any(axis=1)]]
            )
            self.keep["shown"][rows] = 0

    def tally(self) -> Tally:
        """Where sessions are counted."""
        arms = len(self.world.arms.get("consumers", [{}]))
        # policies for a share have come or gone: what was shown before has no such arms
        if self.keep["shown"].shape[1] != arms:
            self.keep["shown"] = np.zeros((len(self.keep["shown"]), arms), np.int32)
            self.keep["shown_gone"] = np.zeros((0, arms), np.int32)
        return Tally(
            person=self.keep["person"],
            opened=self.keep["opened"],
            shown=self.keep["shown"],
            community=self.m.read("creators", "community"),
            mark=self.keep["mark"],
        )

    def chat_tally(self) -> NDArray[Any]:
        """Where sessions with the assistant are counted, CHATTER (chatters,)."""
        return self.keep["chatter"]

    def advance(self) -> None:
        """A reading begins."""
        self._risen.clear()

    def reset(self, days: float) -> None:
        """A reading has been taken: count anew, and take the mark of arousal from the posts that
        there are."""
        for name in RECORDS.values():
            if name in self.keep:
                self.keep[name].view(np.float32)[:] = 0
        self.keep["shown"][:] = 0
        self.keep["shown_gone"] = self.keep["shown_gone"][:0]
        if days > 0:
            self.keep["opened"] *= np.float32(math.exp(-days * DAY / self.m.p.memory))
        arousal = self.m.read("posts", "arousal")[self.m.read("posts", "alive")]
        if len(arousal):
            self.keep["mark"] = np.full(1, np.percentile(arousal, self.m.p.aroused_above))

    def _counted(self, table: str, name: str) -> Floats | None:
        """A count by row of a table; None where the name is none of a count."""
        records = self.keep.get(RECORDS.get(table, ""))
        if records is None or name not in ("clicks", *(records.dtype.names or ())):
            return None
        return kernel.values(records[: len(self.world.table(table))], name)

    def rows(self, table: str, name: str) -> NDArray[Any]:
        """Values by row of a table: a count, a service, or a column."""
        found: NDArray[Any] | None = self._counted(table, name)
        if found is None and self.world.has_service(f"{table}.{name}"):
            found = self.world.service(f"{table}.{name}")()
        return self.m.read(table, name) if found is None else found

    def rise(self, table: str, name: str) -> Floats:
        """What was added to a count or a running total since the last reading, float64 by row."""
        if (table, name) not in self._risen:
            risen = self._counted(table, name)
            if risen is None:
                total = self.rows(table, name).astype(np.float64)
                kept = self.keep.get(f"{BEFORE}{table}.{name}", np.zeros(0))
                # the table may have grown since; new rows begin at nothing
                risen = total - lengthened(kept, len(total))[: len(total)]
                self.keep[f"{BEFORE}{table}.{name}"] = total
            self._risen[table, name] = risen
        return self._risen[table, name]

    def shown(self) -> NDArray[np.int32]:
        """Impressions by arm and post since the last reading, posts that are gone last."""
        return np.concatenate([self.tally().shown, self.keep["shown_gone"]]).T

    def opened_by_arm(self, group: Group) -> Floats:
        """Posts opened lately by arm and community, of those who are there."""
        return group.by_arm(self.keep["opened"][: len(group.here)], group.here)

    def opened_entropy(self) -> Floats:
        """Entropy over communities of what each person opened lately, in nats, float64 (C,); NaN of
        those who opened nothing."""
        opened = self.keep["opened"][: len(self.world.table("consumers"))]
        found = entropy(opened)
        found[opened.sum(axis=1) < FADED] = np.nan
        return found
