"""What a second core gives an experiment: `python -m tests.benchmarks.bench_experiments
[--replicates 16] [--rounds 3] [--days 60]`.

The same whole runs of the quickstart (its people, fewer days), one per replicate, on one process
and on two, in turn, through the pool that the commands use: from the first task handed out to the
last result written, start of the processes included. Prints each round's times and ratio, and the
median ratio; exit status 1 if that is above the bound. Results must be equal, byte for byte.

Where other programs use the machine, its cores are not two: the load is printed beside, and so is
the ratio of the best that the machine gave at the time, two bare processes of the same work against
one after the other.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from twin.experiments.work.backends import run_all
from twin.experiments.work.store import Store
from twin.experiments.work.tasks import SCENARIO, Task
from twin.scenario.describe import dump
from twin.scenario.loading import Scenario, load

ROOT = Path(__file__).parent.parent.parent
BOUND = 0.6
"""Largest share of one core's time that two may take, by issue 5."""
SPIN = "x = 0\nfor i in range(20_000_000): x += i"


def tasks(replicates: int) -> list[Task]:
    """A whole run of each replicate."""
    return [
        Task("whole", f"runs/{replicate}.npy", {"sets": [f"replicate={replicate}"]})
        for replicate in range(replicates)
    ]


def once(
    folder: Path, scenario: Scenario, wanted: list[Task], workers: int
) -> tuple[float, list[bytes]]:
    """Seconds, and the results."""
    store = Store(str(folder))
    store.write(SCENARIO, dump(scenario).encode())
    begin = time.perf_counter()
    ended = run_all(store.root, wanted, f"local:{workers}")
    spent = time.perf_counter() - begin
    if ended.failed:
        sys.exit(f"failed: {ended.failed}")
    return spent, [store.read(task.result) for task in wanted]


def machine() -> float:
    """Two processes at once against one after the other, with nothing shared: what two cores are
    worth right now."""

    def spin() -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", SPIN])

    begin = time.perf_counter()
    for _ in range(2):
        spin().wait()
    middle = time.perf_counter()
    for process in [spin(), spin()]:
        process.wait()
    return (time.perf_counter() - middle) / (middle - begin)


def main() -> None:
    """Alternate, print, judge."""
    parser = argparse.ArgumentParser(description="One core against two.")
    parser.add_argument("--replicates", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--days", type=int, default=60)
    arguments = parser.parse_args()
    scenario = load(
        ROOT / "scenarios" / "quickstart.yaml",
        ("warm_up=0d", f"duration={arguments.days}d", "policies=[]"),
    )
    ratios = []
    for number in range(arguments.rounds):
        spent, found = {}, {}
        for workers in ((1, 2), (2, 1))[number % 2]:
            with tempfile.TemporaryDirectory(prefix="twin-") as folder:
                spent[workers], found[workers] = once(
                    Path(folder), scenario, tasks(arguments.replicates), workers
                )
        if found[1] != found[2]:
            sys.exit("one core and two gave different bytes")
        ratios.append(spent[2] / spent[1])
        print(
            f"{arguments.replicates} replicates: one core {spent[1]:7.2f} s, two {spent[2]:7.2f} "
            f"s, ratio {ratios[-1]:.3f}   "
            f"(bare processes {machine():.3f}, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} "
            f"cores)",
            flush=True,
        )
    median = statistics.median(ratios)
    print(f"median ratio {median:.3f} (at most {BOUND}); the same bytes")
    sys.exit(median > BOUND)


if __name__ == "__main__":
    main()
