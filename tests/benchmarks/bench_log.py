"""What `twin run --log` costs: `python -m tests.benchmarks.bench_log [--consumers 50000] [--days 30]
[--runs 2]` (default: about 1,000,000 sessions a run).

The same world is run with and without a log in turns, each in a process of its own, by the clock on
the wall and of its processor: a log may cost a tenth. Memory is that of the run half-way and at its
end: it must not grow with the log. At the end the log's impressions are counted beside the run's.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import click
import psutil
import pyarrow.dataset as dataset
import pyarrow.parquet as pq

from tests.benchmarks.turns import world
from tests.conftest import SCENARIOS

EVERY_S = 0.2
"""Wall-clock seconds between two looks at the memory."""


@dataclass(frozen=True)
class Spent:
    """Seconds by the clock and of the processor; MB resident half-way and at the end."""

    wall: float
    processor: float
    half: float
    end: float


def spent(arguments: list[str], folder: Path) -> Spent:
    """What a run takes. Memory is the median of a tenth of the looks, around the half and last."""
    began = time.perf_counter()
    process = psutil.Popen([sys.executable, "-m", "twin", *arguments], cwd=folder)
    looks: list[float] = []
    processor = 0.0
    while process.poll() is None:
        try:
            looks.append(process.memory_info().rss / 1e6)
            times = process.cpu_times()
            processor = times.user + times.system
        except psutil.Error:
            break
        time.sleep(EVERY_S)
    if process.wait():
        raise SystemExit(f"twin {' '.join(arguments)} ended with status {process.returncode}")
    many = max(1, len(looks) // 10)
    half = len(looks) // 2
    return Spent(
        time.perf_counter() - began,
        processor,
        statistics.median(looks[half - many // 2 : half + many // 2 + 1]),
        # the report comes last, and is no part of the log
        statistics.median(looks[-2 * many : -many] or looks),
    )


@click.command()
@click.option("--consumers", default=50_000, show_default=True)
@click.option("--days", default=30, show_default=True)
@click.option("--runs", default=2, show_default=True)
def main(consumers: int, days: int, runs: int) -> None:
    """Run both in turns."""
    sets = [part for each in world(consumers, days) for part in ("--set", each)]
    common = ["run", str(SCENARIOS / "base.yaml"), *sets, "--threads", "1", "--no-cache", "--quiet"]
    ratios = []
    with tempfile.TemporaryDirectory() as place:
        here = Path(place)
        for number in range(runs):
            plain = spent([*common, "--out", f"plain{number}"], here)
            logged = spent([*common, "--out", f"run{number}", "--log", f"log{number}"], here)
            ratios.append((logged.wall / plain.wall, logged.processor / plain.processor))
            print(
                f"run {number + 1}: without {plain.wall:.1f} s (processor {plain.processor:.1f}), "
                f"with {logged.wall:.1f} s ({logged.processor:.1f}), x{ratios[-1][0]:.3f} "
                f"(x{ratios[-1][1]:.3f}); memory with: half-way {logged.half:.0f} MB, at the end "
                f"{logged.end:.0f} MB; without: {plain.half:.0f} and {plain.end:.0f} MB",
                flush=True,
            )
        rows = dataset.dataset(here / "log0", exclude_invalid_files=True).count_rows()
        size = sum(file.stat().st_size for file in (here / "log0").rglob("*.parquet"))
        readings = pq.read_table(here / "run0" / "metrics.parquet").to_pandas()
    last = readings[readings["time"] == readings["time"].max()].groupby("metric")["value"].sum()
    print(
        f"{last['sessions']:,.0f} sessions; {rows:,} rows of the log, {last['impressions']:,.0f} "
        f"impressions by the readings; {size / 1e6:.0f} MB"
    )
    wall, processor = (statistics.median(each) for each in zip(*ratios, strict=True))
    print(f"median of {runs}: x{wall:.3f} by the clock, x{processor:.3f} of the processor")


if __name__ == "__main__":
    main()
