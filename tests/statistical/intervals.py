"""How often do 95 % intervals cover zero where there is nothing: `python -m
tests.statistical.intervals [--comparisons 200]`.

Every comparison pairs worlds that share nothing but the scenario: with P pairs it takes 2 P runs
with seeds of their own, none of which is used in any other comparison. So every true effect is
zero, and an honest interval covers it in 95 % of comparisons: with 200 of them within 91 and 98 %
(two standard errors are 3 %). Worlds are small and short, so that 2,000 of them take minutes;
intervals know nothing of that.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass

import click
import numpy as np
from numpy.typing import NDArray

from tests.conftest import SCENARIOS, SMALL
from twin.engine.simulation import Simulation
from twin.experiments import effects
from twin.experiments.work.backends import run_all
from twin.experiments.work.store import Store
from twin.experiments.work.tasks import SCENARIO, Task
from twin.ground.units import DAY
from twin.record.results import per_day
from twin.scenario.describe import dump
from twin.scenario.loading import load
from twin.world.metric import label_text

WORLD = (
    *SMALL,
    "audience.initial=120",
    "creators.human.initial=30",
    "creators.ai.initial=4",
    "recommender.dim=8",
    "recommender.refresh=30min",
    "duration=8d",
)
SETTLED = 3 * DAY
LOW, HIGH, AT_LEAST = 0.91, 0.98, 10
MOSTLY = 0.9


@dataclass(frozen=True)
class Covered:
    """How often the intervals of a series covered zero: of pairs, and of independent runs
    (Welch)."""

    metric: str
    labels: str
    side: str
    paired: float
    unpaired: float


def measure(
    comparisons: int, pairs: int, on: str | None = None, show: bool = False
) -> list[Covered]:
    """Coverage of every series of both sides that had an interval in every comparison; no
    histograms.

    With few pairs the differences of a count may be equal by chance: such an interval has no width,
    and covers zero only if it is zero. A series of which more than a tenth are so is left out: it
    hardly differs between worlds.
    """
    scenario = load(SCENARIOS / "base.yaml", WORLD)
    runs = 2 * pairs * comparisons
    with tempfile.TemporaryDirectory(prefix="twin-intervals-") as folder:
        store = Store(folder)
        store.write(SCENARIO, dump(scenario).encode())
        tasks = [Task("whole", f"runs/{r}.npy", {"sets": [f"replicate={r}"]}) for r in range(runs)]
        ended = run_all(
            folder, tasks, on, lambda progress: _show(progress.done, runs) if show else None
        )
        assert not ended.failed, ended.failed
        rows = Simulation(scenario).world.board.rows
        counters = np.array([metric.kind == "counter" for metric, _ in rows])
        times = np.arange(0, scenario.duration + 1, scenario.metrics.every)
        means = np.array([_mean(store.read_array(task.result), times, counters) for task in tasks])
    y, x = np.moveaxis(means.reshape(comparisons, pairs, 2, len(rows)), 2, 0)
    every = [effects.paired(one, other) for one, other in zip(y, x, strict=True)]
    covers = np.array([(each.low <= 0) & (each.high >= 0) for each in every]).mean(0)
    independent = np.array([np.abs(each.effect) <= each.unpaired for each in every]).mean(0)
    wide = np.array([each.high > each.low for each in every]).mean(0) > MOSTLY
    known = np.array([each.n == pairs for each in every]).all(0) & wide
    return [
        Covered(
            metric.name, label_text(labels), metric.side, float(covers[i]), float(independent[i])
        )
        for i, (metric, labels) in enumerate(rows)
        if known[i] and metric.kind != "histogram" and metric.side in ("producer", "consumer")
    ]


def _mean(
    readings: NDArray[np.float64], times: NDArray[np.int64], counters: NDArray[np.bool_]
) -> NDArray[np.float64]:
    readings[:, counters] = per_day(times.astype("datetime64[s]"), readings[:, counters])
    return effects.window_means(times, readings, SETTLED, int(times[-1]))


def _show(done: int, runs: int) -> None:
    if done % 100 == 0:
        click.echo(f"{done}/{runs} runs", err=True)


@click.command()
@click.option("--comparisons", default=200, show_default=True)
@click.option("--pairs", default=5, show_default=True)
@click.option("--on", help="As for twin compare.")
def main(comparisons: int, pairs: int, on: str | None) -> None:
    """Print the table; exit status 1 if fewer than ten series, or none of one side, are within 91
    and 98 %."""
    found = measure(comparisons, pairs, on, show=True)
    click.echo(
        f"{comparisons} null comparisons of {pairs} pairs of independent worlds; 95 % intervals "
        f"that cover zero"
    )
    click.echo(
        f"{'side':9s} {'series':44s} {'pairs':>7s} {'Welch':>7s}  within {LOW:.0%}-{HIGH:.0%}"
    )
    good: dict[str, int] = {"producer": 0, "consumer": 0}
    for each in sorted(found, key=lambda each: (each.side, each.metric, each.labels)):
        within = LOW <= each.paired <= HIGH
        good[each.side] += within
        name = each.metric + (f"{{{each.labels}}}" if each.labels else "")
        click.echo(
            f"{each.side:9s} {name:44s} {each.paired:7.1%} {each.unpaired:7.1%}  "
            f"{'yes' if within else 'NO'}"
        )
    click.echo(
        f"within: {good['producer']} series of creators, {good['consumer']} of consumers, of "
        f"{len(found)}"
    )
    sys.exit(0 if min(good.values()) and sum(good.values()) >= AT_LEAST else 1)


if __name__ == "__main__":
    main()
