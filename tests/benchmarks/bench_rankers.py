"""What a ranker of one's own costs: a session ranked by a class, and by a service behind HTTP,
against one ranked by the value model, in one run.

    python -m tests.benchmarks.bench_rankers [--consumers 10000] [--days 27] [--runs 2]

First whole runs from the command line, by the value model and by the service in turns (--runs of
each), by the clock on the wall: a run with a service may take twice as long. The service answers
with a score for each candidate of each person, or with one for each post. Then worlds are stepped
in turns: the median ratio of days to the value model with the middle half of the days, which leaves
out what a run has besides. All on one thread. The service is a process of its own (the tests'
server, which ranks by age); wall-clock time has its work in it, processor time has not.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import click
import numpy as np

import twin
from tests.benchmarks.turns import SETTLE, Side, in_turns, ratio, world
from tests.conftest import SCENARIOS
from tests.conftest import twin as command
from tests.given.ranker_service import service

OWN = "recommender.ranking=own"


class Newest(twin.Ranker):
    """By age, as the service ranks."""

    def score(self, batch: twin.ranking.Batch) -> np.ndarray:
        """The youngest first."""
        return -batch.age


def whole(given: tuple[str, ...]) -> float:
    """Seconds that `twin run` takes."""
    sets = [part for each in given for part in ("--set", each)]
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        command(
            *("run", SCENARIOS / "base.yaml", *sets, "--out", "run"),
            *("--threads", "1", "--no-cache", "--quiet"),
            cwd=Path(folder),
        )
        return time.perf_counter() - began


@click.command()
@click.option("--consumers", default=10_000, show_default=True)
@click.option("--days", default=27, show_default=True)
@click.option("--runs", default=2, show_default=True)
def main(consumers: int, days: int, runs: int) -> None:
    """Run both in turns, then step all in turns."""
    common = world(consumers, days)
    with service("scores") as each, service("item_scores") as once:
        by_form = {
            form: (*common, OWN, f"recommender.ranker={{url: '{url}'}}")
            for form, url in (("HTTP", each), ("HTTP, by post", once))
        }
        for number in range(runs):
            built_in = whole(common)
            said = [f"run {number + 1}: value model {built_in:.1f} s"]
            for form, http in by_form.items():
                served = whole(http)
                said.append(f"{form} {served:.1f} s, x{served / built_in:.2f}")
            print("; ".join(said), flush=True)
        sides = {
            "value model": Side(common),
            "class": Side(
                (*common, OWN, "recommender.ranker={class: tests.benchmarks.bench_rankers.Newest}")
            ),
            **{form: Side(http) for form, http in by_form.items()},
        }
        in_turns(sides, days)
    own = sides["value model"]
    print(f"{consumers} consumers, {days} days after {SETTLE} of settling:")
    for name, side in sides.items():
        said = [f"{name:14s}"]
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
