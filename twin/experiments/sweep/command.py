"""A sweep: the scenario at many points of a parameter space, each point with some replicates, as
one table.

    results.parquet  point, replicate, one column per parameter (as it was set), metric, labels,
                     side, unit, value: the mean over the last window; running totals per day
    ranks.parquet    Spearman's rank correlation of every numeric parameter with every outcome over
                     the points (means of replicates), with p (two-sided, by Student's t) and q
                     (Benjamini-Hochberg over all rows)
    report.html      see `twin.experiments.sweep.report`

The window is the last four weeks of a run, at most its second half. A point whose scenario lacks a
mechanism has no value (NaN) of its metrics. Replicate r of all points shares its luck.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from twin.experiments import design, effects
from twin.experiments.experiment import Experiment
from twin.experiments.forks import outcome, settings
from twin.experiments.sweep import report as sweep_report
from twin.experiments.sweep.levels import by_level
from twin.experiments.sweep.points import LEAST, Swept, planned, window
from twin.experiments.words import Key, daily_unit, series_name, signed, without_axes
from twin.experiments.work.tasks import Task
from twin.ground.later import stats
from twin.ground.units import in_percent
from twin.readers.text import human
from twin.world.metric import Metric, label_text

RANKS = pa.schema(
    [
        ("parameter", pa.string()),
        ("metric", pa.string()),
        ("labels", pa.string()),
        ("side", pa.string()),
        ("good", pa.string()),
        ("headline", pa.bool_()),
        ("n", pa.int64()),
        ("correlation", pa.float64()),
        ("p", pa.float64()),
        ("q", pa.float64()),
    ]
)


def resume(experiment: Experiment, on: str | None) -> None:
    """Do what is left to do, print the results, write tables and report."""
    swept = run(experiment, on)
    found = ranks(swept)
    experiment.table("results.parquet", _table(swept))
    experiment.table("ranks.parquet", pa.Table.from_pylist(found, schema=RANKS))
    experiment.finish(
        "done", points=len(swept.points), runs=swept.values.shape[0] * swept.values.shape[1]
    )
    experiment.conclude(lines(swept, found), report)


def report(experiment: Experiment, **axes: str) -> None:
    """Write the report again. Raises UsageError for axes: a sweep has no two-sided map."""
    without_axes("a sweep has", axes)
    sweep_report.write(experiment)


def run(experiment: Experiment, on: str | None) -> Swept:
    """Do what is left to do, and read it."""
    args = experiment.manifest["args"]
    varied, chosen, scenarios = planned(experiment.scenario, args)
    replicates = int(args["replicates"])
    # the window is of the point's own scenario, as a parameter may be the duration
    tasks = [
        Task(
            "means",
            f"runs/{place}/{r}.npy",
            {"sets": settings(r, design.sets(varied, point)), "windows": [window(scenario)]},
            weight=scenario.duration + scenario.warm_up,
        )
        for place, (point, scenario) in enumerate(zip(chosen, scenarios, strict=True))
        for r in range(replicates)
    ]
    experiment.run(tasks, on)
    # series follow from the mechanisms, so those of most points are listed only once
    layouts: dict[tuple[str, ...], dict[Key, Metric]] = {}
    for scenario in scenarios:
        if (names := tuple(scenario.mechanisms)) not in layouts:
            layouts[names] = {
                (metric.name, label_text(labels)): metric for metric, labels in scenario.series()
            }
    # everything that any point has; what a point lacks stays NaN there
    series = {
        key: metric
        for layout in layouts.values()
        for key, metric in layout.items()
        if outcome(metric)
    }
    places = {key: place for place, key in enumerate(series)}
    # NaN is what failed, and what a point's scenario does not measure
    values = np.full((len(chosen), replicates, len(series)), np.nan)
    for place, scenario in enumerate(scenarios):
        layout = list(layouts[tuple(scenario.mechanisms)])
        # a result holds all series of its own scenario, in that order
        kept = [i for i, key in enumerate(layout) if key in places]
        target = [places[layout[i]] for i in kept]
        for r in range(replicates):
            if (name := f"runs/{place}/{r}.npy") not in experiment.failed:
                values[place, r, target] = experiment.store.read_array(name)[0][kept]
    return Swept(varied, chosen, series, values)


def _table(swept: Swept) -> pa.Table:
    """Rows in the order point, replicate, series."""
    n, replicates, many = swept.values.shape
    columns: dict[str, Any] = {
        "point": np.repeat(np.arange(n), replicates * many),
        "replicate": np.tile(np.repeat(np.arange(replicates), many), n),
    }
    for k, each in enumerate(swept.varied):
        # few texts in very many rows, hence dictionaries
        columns[each.path] = pa.array(
            [point[k] for point in swept.points for _ in range(replicates * many)]
        ).dictionary_encode()
    for name, texts in (
        ("metric", [metric for metric, _ in swept.series]),
        ("labels", [labels for _, labels in swept.series]),
        ("side", [metric.side for metric in swept.series.values()]),
        ("unit", [daily_unit(metric) for metric in swept.series.values()]),
    ):
        columns[name] = pa.array(texts * (n * replicates)).dictionary_encode()
    columns["value"] = swept.values.ravel()
    return pa.table(columns)


def ranks(swept: Swept) -> list[dict[str, Any]]:
    """Spearman's correlation of each numeric parameter with each outcome that varies, over points;
    rows of ``ranks.parquet``."""
    # means: replicates of one point are not further points
    means = swept.means()
    found: list[dict[str, Any]] = []
    for k, each in enumerate(swept.varied):
        numbers = swept.numbers(k)
        for i, (key, metric) in enumerate(swept.series.items()):
            known = np.isfinite(means[:, i]) & np.isfinite(numbers)
            # a rank correlation needs points, and both sides to vary
            if known.sum() < LEAST or len(set(numbers[known])) < 2 or np.ptp(means[known, i]) == 0:
                continue
            result = stats().spearmanr(numbers[known], means[known, i])
            found.append(
                {
                    "parameter": each.path,
                    "metric": key[0],
                    "labels": key[1],
                    "side": metric.side,
                    "good": metric.good,
                    "headline": metric.headline,
                    "n": int(known.sum()),
                    "correlation": float(result.statistic),
                    "p": float(result.pvalue),
                }
            )
    q = effects.discoveries(np.array([row["p"] for row in found]))
    return [{**row, "q": float(each)} for row, each in zip(found, q, strict=True)]


def _by_level(swept: Swept, path: str) -> list[str]:
    """Means of headline outcomes by level, and how they differ from the first."""
    shown = [
        row for row in by_level(swept) if row.parameter == path and swept.series[row.key].headline
    ]
    if not shown:
        return [f"{path}: too many values for a table, and too few points to rank: see the report"]
    made = [
        f"{path}: means by level with {in_percent(effects.LEVEL)} intervals, and the difference from "
        f"{shown[0].first}"
    ]
    for row in shown:
        name = series_name(*row.key) if row.level == row.first else ""
        # none of one run
        ends = f"[{human(row.mean_low)}, {human(row.mean_high)}]" if row.n > 1 else ""
        less = ""
        if math.isfinite(row.effect):
            inside = f" [{signed(row.low)}, {signed(row.high)}]" if row.pairs > 1 else ""
            less = f"{signed(row.effect)}{inside}  {row.standing}"
        made.append(
            f"  {name:32s} {row.level:>10s}  {human(row.mean):>8s} {ends:20s} {less}".rstrip()
        )
    return made


def lines(swept: Swept, found: Sequence[dict[str, Any]]) -> list[str]:
    """What the terminal shows: what each parameter goes with most surely."""
    n, replicates, _ = swept.values.shape
    made = ["", f"{n} points, {n * replicates} runs"]
    for each in swept.varied:
        mine = [row for row in found if row["parameter"] == each.path]
        # too few points to rank
        if not mine:
            made += _by_level(swept, each.path)
            continue
        sure = [row for row in mine if row["headline"] and effects.established(row["q"])]
        made.append(
            f"{each.path}: {len(sure)} of {sum(row['headline'] for row in mine)} headline outcomes "
            f"go with it beyond noise"
        )
        # equal q are common, so names decide and the output stays the same
        for row in sorted(sure, key=lambda row: (row["q"], row["metric"], row["labels"]))[:5]:
            name = row["metric"] + (f"{{{row['labels']}}}" if row["labels"] else "")
            made.append(
                f"  {name:36s} rank correlation {row['correlation']:+.2f}, q {row['q']:.2g}"
            )
    return [*made, ""]
