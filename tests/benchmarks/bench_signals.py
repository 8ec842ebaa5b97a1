"""What side information costs: a session with signals on against one with signals off, in one run.

    python -m tests.benchmarks.bench_signals [--consumers 30000] [--days 12]

Two worlds that differ in nothing else are stepped in turns, on one thread; each pair of days gives
one ratio of time per session (all work of a day included: training, sync, refresh). Prints the
median ratio with the middle half of the days; at most 1.15 is asked.
"""

from __future__ import annotations

import statistics

import click

from tests.benchmarks.turns import SETTLE, Side, in_turns, ratio, world
from twin.mechanisms.recommender.signals import READINGS

OFF = tuple(f"recommender.signals.{name}.on=false" for name in READINGS)


@click.command()
@click.option("--consumers", default=30_000, show_default=True)
@click.option("--days", default=12, show_default=True)
def main(consumers: int, days: int) -> None:
    """Step both worlds in turns."""
    common = world(consumers, days)
    sides = {"on": Side(common), "off": Side((*common, *OFF))}
    in_turns(sides, days)
    low, middle, high = ratio(sides["on"].wall, sides["off"].wall)
    with_, without = (1e6 * statistics.median(side.wall[SETTLE:]) for side in sides.values())
    print(
        f"{consumers} consumers: {with_:.1f} us a session with signals, "
        f"{without:.1f} without: ratio {middle:.3f} ({low:.3f} to {high:.3f}), asked 1.15"
    )


if __name__ == "__main__":
    main()
