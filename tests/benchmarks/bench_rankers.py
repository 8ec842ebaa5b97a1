"""What a ranker of one's own costs: a session ranked by a class, and by a service behind HTTP,
against one ranked by the value model, in one run.

    python -m tests.benchmarks.bench_rankers [--consumers 10000] [--days 27]

Three worlds are stepped in turns, on one thread. The service is a process of its own (the tests'
server, which ranks by age); wall-clock time has its work in it, processor time has not. Prints the
median ratio of days to the value model with the middle half of the days; a service may cost twice as
much.
"""

from __future__ import annotations

import statistics

import click
import numpy as np

import twin
from tests.benchmarks.turns import SETTLE, Side, in_turns, ratio, world
from tests.given.ranker_service import service

OWN = "recommender.ranking=own"


class Newest(twin.Ranker):
    """By age, as the service ranks."""

    def score(self, batch: twin.ranking.Batch) -> np.ndarray:
        """The youngest first."""
        return -batch.age


@click.command()
@click.option("--consumers", default=10_000, show_default=True)
@click.option("--days", default=27, show_default=True)
def main(consumers: int, days: int) -> None:
    """Step all in turns."""
    common = world(consumers, days)
    with service("scores") as url:
        sides = {
            "value model": Side(common),
            "class": Side(
                (*common, OWN, "recommender.ranker={class: tests.benchmarks.bench_rankers.Newest}")
            ),
            "HTTP": Side((*common, OWN, f"recommender.ranker={{url: '{url}'}}")),
        }
        in_turns(sides, days)
    own = sides["value model"]
    print(f"{consumers} consumers, {days} days after {SETTLE} of settling:")
    for name, side in sides.items():
        said = [f"{name:12s}"]
        for what, mine, theirs in (
            ("wall", side.wall, own.wall),
            ("processor", side.processor, own.processor),
        ):
            low, middle, high = ratio(mine, theirs)
            micro = 1e6 * statistics.median(mine[SETTLE:])
            said.append(f"{what} {micro:6.1f} us, x{middle:.2f} ({low:.2f} to {high:.2f})")
        print("   ".join(said))


if __name__ == "__main__":
    main()
