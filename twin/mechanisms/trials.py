"""Trials: what an experimenter inside the platform reads off a policy for a share of people. Read
only, and off unless asked for.

For a quantity z of persons and the first policy for a share of them (bit 0 of ``arm``),

    A/B estimate = mean z of the treated - mean z of the control group
    true effect  = mean z of everybody, policy for all - the same without it, in forked worlds
                 (`twin compare`)

Their difference is interference: the control group lives in a world that the treated have changed
(what they like trends, whom they follow earns), and the treated in one that the control group still
shapes. Who is still there only; before a policy for a share exists there is no reading of either
group.

Source: the bias of A/B tests under interference, Saveski et al., KDD 2017; Holtz et al. 2020
(arXiv:2004.12489).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.ground.units import DAY
from twin.world.mechanism import Mechanism
from twin.world.metric import Good, Metric, Side
from twin.world.params import Params

ARMS = ("everybody", "treated", "control")


def _metric(name: str, unit: str, text: str, side: Side, good: Good = "up") -> Metric:
    return Metric(
        f"trial_{name}",
        "gauge",
        unit,
        f"{text}, by arm; no reading of an arm in which there is nobody.",
        side,
        "Trial",
        labels={"arm": ARMS},
        good=good,
        trial=name.replace("_", " "),
    )


class TrialsParams(Params):
    """Nothing to set."""


class Trials(Mechanism[TrialsParams]):
    """Means by arm."""

    name = "trials"
    Params = TrialsParams
    order = 92
    metrics = (
        _metric("satisfaction", "1", "Mean satisfaction of people", "consumer"),
        _metric(
            "sessions",
            "sessions/d",
            "Sessions per person and day, since the last reading",
            "consumer",
        ),
        _metric(
            "opinion_extremity",
            "1",
            "Mean distance of opinions from the middle",
            "consumer",
            "down",
        ),
        _metric("trust", "1", "Mean trust in the assistant among those who use it", "chatbot"),
        _metric("income", "pay/d", "Mean income of human creators", "producer"),
        _metric("morale", "1", "Mean morale of human creators", "producer"),
        _metric(
            "reach",
            "impressions/post",
            "Mean impressions per post of human creators, a moving mean",
            "producer",
        ),
        _metric(
            "posts",
            "posts/d",
            "Posts per human creator and day, since the last reading",
            "producer",
        ),
    )

    def setup(self) -> None:
        """Nothing was counted yet."""
        for table in ("consumers", "creators"):
            self.keep[table] = np.zeros(len(self.world.table(table)), np.int64)
        self.keep["at"] = np.full(1, -1, np.int64)

    def gone(self, table: str, rows: NDArray[np.int64]) -> None:
        """Whoever gets the row later begins at nothing."""
        if table in ("consumers", "creators"):
            kept = self.keep[table]
            kept[rows[rows < len(kept)]] = 0

    def measure(self) -> None:
        """Means of those who are active, by arm."""
        here = self.read("consumers", "active")
        self._write("satisfaction", "consumers", here, self.read("consumers", "satisfaction"))
        self._write("sessions", "consumers", here, self._since("consumers", "sessions"))
        if "opinion" in self.world.table("consumers").columns:
            self._write(
                "opinion_extremity", "consumers", here, np.abs(self.read("consumers", "opinion"))
            )
        # chatters have rows of their own: spread them over people, NaN for whoever has no assistant
        if "chatters" in self.world.tables:
            trust = np.full(len(here), np.nan, np.float32)
            users = np.flatnonzero(
                self.read("chatters", "alive") & (self.read("chatters", "sessions") > 0)
            )
            trust[self.read("chatters", "person")[users]] = self.read("chatters", "trust")[users]
            self._write("trust", "consumers", here & ~np.isnan(trust), trust)
        people = self.read("creators", "active") & ~self.read("creators", "ai")
        for name in ("income", "morale", "reach"):
            self._write(name, "creators", people, self.read("creators", name))
        self._write("posts", "creators", people, self._since("creators", "posts_made"))
        # last: both counts above are per day since the reading before
        self.keep["at"][0] = self.world.now

    def _since(self, table: str, column: str) -> NDArray[np.float64]:
        """Events per day since the last reading, per row; NaN at the first."""
        total = self.read(table, column).astype(np.int64)
        before = np.zeros(len(total), np.int64)
        kept = self.keep[table]
        # the table may have grown since; people in new rows begin at nothing
        before[: len(kept)] = kept
        self.keep[table] = total
        days = (
            (self.world.now - int(self.keep["at"][0])) / DAY if self.keep["at"][0] >= 0 else np.nan
        )
        return (total - before) / days if days > 0 else np.full(len(total), np.nan)

    def _write(
        self, name: str, table: str, here: NDArray[np.bool_], values: NDArray[np.floating]
    ) -> None:
        arm = self.read(table, "arm")
        # one arm is everybody: without a policy for a share there are no groups to compare
        shares = len(self.world.arms.get(table, [{}])) > 1
        groups = (here, here & (arm & 1 == 1) & shares, here & (arm & 1 == 0) & shares)
        means = [
            float(values[group].mean(dtype=np.float64)) if group.any() else np.nan
            for group in groups
        ]
        self.world.board.set_all(f"trial_{name}", means)
