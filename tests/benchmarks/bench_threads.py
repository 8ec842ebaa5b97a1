"""What a second thread gives one run: `python -m tests.benchmarks.bench_threads [--consumers
300000] [--days 5] [--threads 2]`.

Two copies of the same world, one on one thread and one on several, run day by day in turn after a
warm-up; their states must be equal to the byte. Prints seconds of the session kernel and of all,
and their ratios; then the serial fraction s that the whole run's ratio r implies for n threads by
Amdahl's law, 1/r = s + (1 - s)/n, and what that law promises on 8 and on 64 cores.
"""

from __future__ import annotations

import os

for _name in ("NUMBA", "OMP", "OPENBLAS", "MKL"):
    os.environ[f"{_name}_NUM_THREADS"] = "1"

import argparse
import statistics
import sys
import time

from tests.benchmarks.bench_sessions import WARM, world
from tests.worlds.shared import same_state
from twin.engine.simulation import Simulation
from twin.ground.units import DAY


class Turn:
    """A simulation that runs a day at a time; seconds of its sessions and of all."""

    def __init__(self, consumers: int, threads: int) -> None:
        scenario = world(consumers, consumers // 10, f"creators.human.posts_mean={2400 / 10_000}/d")
        self.simulation, self.now = Simulation(scenario, threads=threads), WARM * DAY
        self.simulation.begin()
        self.simulation.run(self.now + 1)

    def day(self) -> tuple[float, float]:
        """Seconds of the session kernel, and of the whole day."""
        before, begin = self.simulation.spent["browse"], time.perf_counter()
        self.now += DAY
        self.simulation.run(self.now + 1)
        return self.simulation.spent["browse"] - before, time.perf_counter() - begin


def main() -> None:
    """Alternate, compare, print."""
    parser = argparse.ArgumentParser(description="One thread against several.")
    parser.add_argument("--consumers", type=int, default=300_000)
    parser.add_argument("--days", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    asked = parser.parse_args()
    one, many = Turn(asked.consumers, 1), Turn(asked.consumers, asked.threads)
    rows = []
    for day in range(asked.days):
        pair = [turn.day() for turn in ((one, many), (many, one))[day % 2]]
        (b1, w1), (b2, w2) = pair if day % 2 == 0 else pair[::-1]
        rows.append((b1 / b2, w1 / w2))
        print(
            f"day {day}: sessions {b1:6.2f} s and {b2:6.2f} s, {rows[-1][0]:.2f}x; all {w1:6.2f} s "
            f"and {w2:6.2f} s, {rows[-1][1]:.2f}x   "
            f"(load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores)",
            flush=True,
        )
    odd = same_state(one.simulation, many.simulation)
    if odd:
        sys.exit(f"{asked.threads} threads gave other bytes: {', '.join(odd)}")
    browse, whole = (statistics.median(column) for column in zip(*rows, strict=True))
    n = asked.threads
    serial = min(max((1 / whole - 1 / n) / (1 - 1 / n), 0.0), 1.0)
    print(
        f"{asked.consumers:,} consumers, {n} threads: sessions {browse:.2f}x (at least 1.6x), "
        f"whole run {whole:.2f}x (at least 1.4x); "
        "the same bytes"
    )
    print(
        f"serial fraction {serial:.3f}: "
        + ", ".join(
            f"{1 / (serial + (1 - serial) / cores):.1f}x on {cores} cores" for cores in (8, 64)
        )
        + " (at least 3.5x on 8)"
    )


if __name__ == "__main__":
    main()
