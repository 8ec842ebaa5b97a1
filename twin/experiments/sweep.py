"""A sweep: the scenario at many points of a parameter space, each point with some replicates, as one table.

``results.parquet``: point, replicate, one column per parameter (as it was set), metric, labels, side, value: the mean over the last
window; running totals per day. ``ranks.parquet``: Spearman's rank correlation of every parameter with every outcome over the points
(means of replicates), with p and q (Benjamini-Hochberg over all).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import stats

from twin.engine import Simulation
from twin.errors import Problem, ScenarioError
from twin.experiments import effects
from twin.experiments.design import Vary
from twin.experiments.experiment import Experiment
from twin.experiments.forks import outcome, settings
from twin.experiments.tasks import Task
from twin.metric import label_text
from twin.scenario import load

WINDOW_D = 28
"""Days of the last window; at most the second half of the run."""


@dataclass
class Swept:
    """Means (points, replicates, series); ``points`` values as texts, ``numbers`` (points, parameters), NaN where not a number."""

    varied: Sequence[Vary]
    points: list[tuple[str, ...]]
    numbers: NDArray[np.float64]
    values: NDArray[np.float64]


def check(experiment: Experiment, varied: Sequence[Vary], points: Sequence[tuple[str, ...]]) -> None:
    """Load the scenario at every point, before anything runs. Raises ScenarioError with the problems of all."""
    problems: set[Problem] = set()
    with experiment.store.local("scenario.yaml") as path:
        for point in dict.fromkeys(points):
            try:
                load(path, _sets(varied, point))
            except ScenarioError as error:
                problems |= set(error.problems)
    if problems:
        raise ScenarioError(problems)


def _sets(varied: Sequence[Vary], point: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"{each.path}={value}" for each, value in zip(varied, point, strict=True))


def run(experiment: Experiment, varied: Sequence[Vary], points: list[tuple[str, ...]], replicates: int, on: str | None) -> Swept:
    """Do what is left to do and write the tables."""
    scenario = experiment.scenario
    window = (max(scenario.duration - WINDOW_D * 86400, scenario.duration // 2), scenario.duration)
    tasks = [Task("means", f"runs/{place}/{replicate}.npy", {"sets": settings(replicate, _sets(varied, point)), "windows": [window]},
                  weight=scenario.duration)
             for place, point in enumerate(points) for replicate in range(replicates)]
    experiment.run(tasks, on)
    rows = Simulation(scenario).world.board.rows
    values = np.full((len(points), replicates, len(rows)), np.nan)
    for place in range(len(points)):
        for replicate in range(replicates):
            name = f"runs/{place}/{replicate}.npy"
            if name not in experiment.failed:
                values[place, replicate] = experiment.store.read_array(name)[0]
    swept = Swept(varied, points, np.array([[_number(value) for value in point] for point in points]), values)
    shown = [i for i, (metric, _) in enumerate(rows) if outcome(metric)]
    many, inner = len(shown), len(points) * replicates
    columns: dict[str, pa.Array] = {
        "point": pa.array(np.repeat(np.arange(len(points)), replicates * many)),
        "replicate": pa.array(np.tile(np.repeat(np.arange(replicates), many), len(points)))}
    for k, each in enumerate(varied):
        columns[each.path] = pa.array([point[k] for point in points for _ in range(replicates * many)]).dictionary_encode()
    for key, texts in (("metric", [rows[i][0].name for i in shown]), ("labels", [label_text(rows[i][1]) for i in shown]),
                       ("side", [rows[i][0].side for i in shown])):
        columns[key] = pa.array(texts * inner).dictionary_encode()
    columns["value"] = pa.array(values[:, :, shown].reshape(-1))
    experiment.table("results.parquet", pa.table(columns))
    experiment.table("ranks.parquet", pa.Table.from_pylist(ranks(swept, rows, shown)))
    return swept


def _number(text: str) -> float:
    from twin.experiments.design import _END

    match = _END.match(text)
    return float(match[1]) if match else float("nan")


def ranks(swept: Swept, rows: Sequence[tuple], shown: Sequence[int]) -> list[dict[str, object]]:  # type: ignore[type-arg]
    """Spearman's correlation of each numeric parameter with each outcome, over points."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # constant outcomes have no rank correlation
        means = np.nanmean(swept.values, 1)
        found: list[dict[str, object]] = []
        for k, each in enumerate(swept.varied):
            numbers = swept.numbers[:, k]
            if not np.isfinite(numbers).all() or len(set(numbers)) < 3:
                continue
            for i in shown:
                metric, labels = rows[i]
                known = np.isfinite(means[:, i])
                if known.sum() >= 5 and len(set(means[known, i])) > 1:
                    result = stats.spearmanr(numbers[known], means[known, i])
                    found.append({"parameter": each.path, "metric": metric.name, "labels": label_text(labels), "side": metric.side,
                                  "good": metric.good, "headline": metric.headline, "n": int(known.sum()),
                                  "correlation": float(result.statistic), "p": float(result.pvalue)})
    q = effects.discoveries(np.array([float(str(row["p"])) for row in found]))
    return [{**row, "q": float(each)} for row, each in zip(found, q, strict=True)]
