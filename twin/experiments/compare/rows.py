"""The rows of a comparison: one effect of one branch on one series, and the tables that hold
them."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from twin.experiments import effects
from twin.experiments.compare import trial
from twin.experiments.experiment import Experiment
from twin.experiments.words import Key, is_reported, series_name
from twin.ground.units import DAY

WEEK, MONTH = 7 * DAY, 30 * DAY
LAST, EARLY = "last", "fork+30d"
GROUPS = "groups.parquet"
NUMBERS = (
    "base",
    "value",
    "effect",
    "low",
    "high",
    "size",
    "p",
    "q",
    "correlation",
    "gain",
    "narrower",
    "runs_saved",
)
COUNTED = frozenset(
    {
        *("posts", "impressions", "sessions", "responses", "likes", "follows", "visits", "answers"),
        *("creators", "consumers", "accounts", "works", "ratings", "pay"),
    }
)
"""Units, alone or per something, of what cannot lie below zero."""
SCHEMA = pa.schema(
    [
        ("branch", pa.string()),
        ("metric", pa.string()),
        ("labels", pa.string()),
        ("side", pa.string()),
        ("unit", pa.string()),
        ("good", pa.string()),
        ("headline", pa.bool_()),
        ("n", pa.int64()),
        *((name, pa.float64()) for name in NUMBERS),
        ("appears_s", pa.int64()),
    ]
)


@dataclass(frozen=True)
class Row:
    """The effect of one branch on one series over the last window; see `twin.experiments.effects`
    for the numbers."""

    branch: str
    metric: str
    labels: str
    side: str
    unit: str
    good: str
    headline: bool
    n: int
    base: float
    value: float
    effect: float
    low: float
    high: float
    size: float
    p: float
    q: float
    correlation: float
    gain: float
    narrower: float
    runs_saved: float
    appears_s: int | None

    @property
    def key(self) -> Key:
        """Its series."""
        return self.metric, self.labels

    @property
    def sure(self) -> bool:
        """Whether it is distinguishable from noise, many metrics considered."""
        return effects.established(self.q)

    @property
    def standing(self) -> str:
        """How sure it is, in words; see `effects.standing`."""
        return effects.standing(self.q, self.low, self.high)

    @property
    def untouched(self) -> bool:
        """Whether all pairs are equal to the last bit."""
        return self.effect == self.low == self.high == 0

    @property
    def reported(self) -> bool:
        """Whether summaries mention it."""
        return is_reported(self.headline, self.key)

    @property
    def verdict(self) -> str:
        """``better`` or ``worse`` for its side, ``more`` or ``less`` where neither is; empty if it
        may be noise."""
        if not self.sure:
            return ""
        if self.good == "neither":
            return "more" if self.effect > 0 else "less"
        return "better" if (self.effect > 0) == (self.good == "up") else "worse"

    def percent(self, value: float) -> float:
        """A difference in percent of the world as it is; NaN where that is zero. Of what is counted
        or paid no more than all can go, however wide the interval."""
        if not self.base:
            return float("nan")
        # the size of the base alone, so that the sign stays that of the value
        share = 100 * value / abs(self.base)
        return max(share, -100.0) if self.unit.partition("/")[0] in COUNTED else share


def read_moving(experiment: Experiment) -> dict[Key, float]:
    """How far series would have moved by themselves, by (metric, labels): those that were moving
    before the fork beyond noise."""
    if not experiment.store.exists("before.parquet"):
        return {}
    return {
        (row["metric"], row["labels"]): row["moves"]
        for row in experiment.store.read_table("before.parquet").to_pylist()
        if row["low"] > 0 or row["high"] < 0
    }


def read_rows(experiment: Experiment) -> list[Row]:
    """The rows of ``results.parquet``."""
    return [Row(**row) for row in experiment.store.read_table("results.parquet").to_pylist()]


def read_groups(experiment: Experiment) -> list[Row]:
    """The rows of ``groups.parquet``; none of a comparison that knows no groups."""
    if not experiment.store.exists(GROUPS):
        return []
    return [Row(**row) for row in experiment.store.read_table(GROUPS).to_pylist()]


def read_biases(experiment: Experiment) -> list[trial.Bias]:
    """The rows of ``trials.parquet``; none where no policy was given to a share."""
    if not experiment.manifest["args"].get("shared"):
        return []
    return [trial.Bias(**row) for row in experiment.store.read_table("trials.parquet").to_pylist()]


def name_of(row: Row) -> str:
    """A row's series as people read it."""
    return series_name(row.metric, row.labels)
