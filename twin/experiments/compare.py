"""What policies do to both sides: every replicate runs to the fork once and goes on without and with each policy.

Results: ``results.parquet``, one row per branch and series over the last window (four weeks, or all that lies after the fork): effect with
interval, its size, n, p and q, the correlation of the two branches and what the pairing gained; ``course.parquet``, the same effect
week by week after the fork, with the week in which it appears for good.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from twin.experiments import effects, forks
from twin.experiments.experiment import Experiment
from twin.experiments.forks import BASE, TREATMENTS, Branch, Forked
from twin.metric import Metric, label_text
from twin.scenario import Scenario
from twin.units import DAY, at

WINDOW = 28 * DAY


@dataclass(frozen=True)
class Row:
    """The effect of one branch on one series over the last window."""

    branch: str
    metric: str
    labels: str
    side: str
    unit: str
    good: str
    headline: bool
    base: float
    value: float
    effect: float
    low: float
    high: float
    size: float
    n: int
    p: float
    q: float
    correlation: float
    gain: float
    runs_saved: float
    appears_s: int | None

    @property
    def sure(self) -> bool:
        """Whether it is told from noise, many metrics considered."""
        return bool(self.q < 1 - effects.LEVEL)


def run(experiment: Experiment, branches: Sequence[Branch], fork_at: int, replicates: int, on: str | None) -> tuple[Forked, list[Row]]:
    """Do what is left to do; effects of all branches, in order."""
    scenario, numbers = experiment.scenario, range(replicates)
    ways = [Branch(BASE), *branches]
    experiment.run(forks.tasks(scenario, fork_at, numbers, ways), on)
    bins = forks.weeks(fork_at, scenario.duration)
    last = (max(fork_at, scenario.duration - WINDOW), scenario.duration)
    forked = forks.read(experiment, scenario, fork_at, numbers, ways, [*bins, last])
    rows = [row for branch in branches for row in rows_of(forked, branch.name)]
    experiment.table("results.parquet", pa.Table.from_pylist([row.__dict__ for row in rows]))
    experiment.table("course.parquet", _course(forked, branches, scenario))
    return forked, rows


def outcomes(forked: Forked) -> list[int]:
    """Places of the series that are outcomes."""
    return [i for i, (metric, _) in enumerate(forked.rows) if metric.name not in TREATMENTS]


def rows_of(forked: Forked, branch: str) -> list[Row]:
    """Effects of a branch over the last window, one row per outcome."""
    y, x = forked.of[branch], forked.of[BASE]
    last, weekly = effects.paired(y[:, -1], x[:, -1]), effects.paired(y[:, :-1], x[:, :-1])
    shown = outcomes(forked)
    since = effects.appears(weekly.low, weekly.high)
    tested = np.where((last.effect == 0) & (last.low == 0) & (last.high == 0), np.nan, last.p)  # untouched: no test was made
    q = np.full(len(forked.rows), np.nan)
    q[shown] = effects.discoveries(tested[shown])
    made = []
    for i in shown:
        metric, labels = forked.rows[i]
        made.append(Row(branch, metric.name, label_text(labels), metric.side, _unit(metric), metric.good, metric.headline,
                        float(last.base[i]), float(last.value[i]), float(last.effect[i]), float(last.low[i]), float(last.high[i]),
                        float(last.size[i]), int(last.n[i]), float(tested[i]), float(q[i]), float(last.correlation[i]),
                        float(last.gain[i]), float(last.n[i] * (last.gain[i] - 2)),
                        forked.bins[since[i]][0] if since[i] >= 0 else None))
    return made


def _unit(metric: Metric) -> str:
    return f"{metric.unit}/d" if metric.kind == "counter" else metric.unit


def _course(forked: Forked, branches: Sequence[Branch], scenario: Scenario) -> pa.Table:
    shown = outcomes(forked)
    columns: dict[str, list[Any]] = {key: [] for key in ("branch", "metric", "labels", "time", "effect", "low", "high", "base")}
    for branch in branches:
        weekly = effects.paired(forked.of[branch.name][:, :-1], forked.of[BASE][:, :-1])
        for i in shown:
            metric, labels = forked.rows[i]
            for k, (_, end) in enumerate(forked.bins[:-1]):
                for key, value in (("branch", branch.name), ("metric", metric.name), ("labels", label_text(labels)),
                                   ("time", at(scenario.start, end)), ("effect", weekly.effect[k, i]), ("low", weekly.low[k, i]),
                                   ("high", weekly.high[k, i]), ("base", weekly.base[k, i])):
                    columns[key].append(value)
    return pa.table(columns)


def lines(rows: Sequence[Row]) -> list[str]:
    """What the terminal says: headline effects of each branch, both sides, with intervals."""
    from twin.readers.panels import label_words
    from twin.readers.text import human

    made = []
    for branch in dict.fromkeys(row.branch for row in rows):
        mine = [row for row in rows if row.branch == branch]
        sure = [row for row in mine if row.sure]
        made.append(f"{branch}: {len(sure)} of {sum(row.p == row.p for row in mine)} series differ beyond noise")
        for side in ("producer", "consumer", "platform", "chatbot"):
            for row in mine:
                if row.side == side and row.headline and row.n:
                    name = row.metric.replace("_", " ") + (f" ({label_words(row.labels.partition('=')[2])})" if row.labels else "")
                    mark = {"up": 1, "down": -1}.get(row.good, 0) * np.sign(row.effect)
                    words = "untouched" if row.effect == 0 else f"{row.effect:+.3g} [{row.low:+.3g}, {row.high:+.3g}]"
                    tone = "  not told from noise" if not row.sure else "  better" if mark > 0 else "  worse" if mark < 0 else ""
                    tone = tone if row.effect else ""
                    made.append(f"  {side:9s} {name:34s} {human(row.base):>8s} -> {human(row.value):8s} {words}{tone}")
    return made
