"""The rows of a comparison: one effect of one branch on one series, what they are called, and the
tables that hold them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from twin.experiments import effects
from twin.experiments.compare import trial
from twin.experiments.experiment import Experiment
from twin.ground.units import DAY
from twin.readers.panels import label_words, words_of
from twin.readers.text import human

WEEK, MONTH = 7 * DAY, 30 * DAY
LAST, EARLY = "last", "fork+30d"
SIDES = {
    "producer": "Creators",
    "consumer": "Consumers",
    "platform": "The platform",
    "chatbot": "Chatbots",
}
"""Sides in the order in which they are told of, and what they are called."""
EXTRA = (("creator_income", "by=human"), ("creator_income", "by=ai"))
"""What is told of beside the headline metrics: what creators live on."""
_NUMBERS = (
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
        *((name, pa.float64()) for name in _NUMBERS),
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
    def sure(self) -> bool:
        """Whether it is told from noise, many metrics considered."""
        return bool(self.q < 1 - effects.LEVEL)

    @property
    def untouched(self) -> bool:
        """Whether all pairs are equal to the last bit."""
        return self.effect == self.low == self.high == 0

    @property
    def reported(self) -> bool:
        """Whether summaries speak of it."""
        return self.headline or (self.metric, self.labels) in EXTRA

    @property
    def verdict(self) -> str:
        """``better`` or ``worse`` for its side, ``more`` or ``less`` where neither is; empty if it
        is not told from noise."""
        if not self.sure:
            return ""
        if self.good == "neither":
            return "more" if self.effect > 0 else "less"
        return "better" if (self.effect > 0) == (self.good == "up") else "worse"

    def percent(self, value: float) -> float:
        """A value in percent of the world as it is; NaN where that is zero."""
        return 100 * value / abs(self.base) if self.base else float("nan")


def read_moving(experiment: Experiment) -> dict[tuple[str, str], float]:
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


def read_biases(experiment: Experiment) -> list[trial.Bias]:
    """The rows of ``trials.parquet``; none where no policy was given to a share."""
    if not experiment.manifest["args"].get("shared"):
        return []
    return [trial.Bias(**row) for row in experiment.store.read_table("trials.parquet").to_pylist()]


def number(value: float) -> str:
    """Three digits with a sign, as short as they get."""
    text = (
        human(abs(value)) if abs(value) >= 1000 or not np.isfinite(value) else f"{abs(value):.3g}"
    )
    return f"{'+' if value >= 0 else '−'}{text}"


def name_of(row: Row) -> str:
    """A series as people read it."""

    labels = (
        ", ".join(part.partition("=")[2] for part in row.labels.split(",")) if row.labels else ""
    )
    return words_of(row.metric) + (f" ({label_words(labels)})" if labels else "")
