"""What side information costs: a session with signals on against one with signals off, in one run.

    python -m tests.benchmarks.bench_signals [--consumers 30000] [--days 12]

Two worlds that differ in nothing else are stepped in turns, a day each, in one process on one
thread; each pair of days gives one ratio of time per session (all work of a day included: training,
sync, refresh). Prints the median ratio with the middle half of the days; at most 1.15 is asked.
"""

from __future__ import annotations

import statistics
import time

import click

from tests.conftest import SCENARIOS
from twin.engine.simulation import Simulation
from twin.ground.units import DAY
from twin.mechanisms.recommender.signals import READINGS
from twin.scenario.loading import load

OFF = tuple(f"recommender.signals.{name}.on=false" for name in READINGS)
SETTLE = 3
"""Days before anything is timed: kernels compile, the model gets its first vectors."""


class Side:
    """One of the two worlds, and its time per session, day by day."""

    def __init__(self, settings: tuple[str, ...]) -> None:
        self.simulation = Simulation(load(SCENARIOS / "base.yaml", settings))
        self.simulation.begin()
        self.each: list[float] = []
        self.day = 0

    def step(self) -> None:
        """Run a day."""
        board = self.simulation.world.board
        self.day += 1
        began, before = time.perf_counter(), board.get("sessions")
        self.simulation.run(self.day * DAY + 1)
        self.each.append((time.perf_counter() - began) / (board.get("sessions") - before))


@click.command()
@click.option("--consumers", default=30_000, show_default=True)
@click.option("--days", default=12, show_default=True)
def main(consumers: int, days: int) -> None:
    """Step both worlds in turns."""
    common = (
        f"audience.initial={consumers}",
        f"audience.arrivals={consumers / 500}/d",
        f"creators.human.initial={consumers // 5}",
        f"duration={SETTLE + days + 1}d",
        "warm_up=0d",
        "metrics.every=1d",
        "policies=[]",
    )
    on, off = Side(common), Side((*common, *OFF))
    for day in range(SETTLE + days):
        for side in (on, off) if day % 2 else (off, on):
            side.step()
    ratios = [a / b for a, b in zip(on.each[SETTLE:], off.each[SETTLE:], strict=True)]
    low, middle, high = statistics.quantiles(ratios, n=4)
    per_session = [1e6 * statistics.median(side.each[SETTLE:]) for side in (on, off)]
    print(
        f"{consumers} consumers: {per_session[0]:.1f} us a session with signals, "
        f"{per_session[1]:.1f} without: ratio {middle:.3f} ({low:.3f} to {high:.3f}), asked 1.15"
    )


if __name__ == "__main__":
    main()
