"""Whether memory follows the living or the past: `python -m tests.benchmarks.bench_memory
[SCENARIO]` (default: two_years).

Runs the scenario as `twin run` does and prints resident memory and bytes of state beside the number
of people, month by month; then the end against day 60, per person. The bound of 1.5x is at equal
population.
"""

from __future__ import annotations

import datetime as dt
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.bench_sessions import ROOT
from twin.ground.units import DAY
from twin.readers.terminal import Frame, RunInfo
from twin.running.drive import start
from twin.scenario.loading import load

FIRST = 60


class Watcher:
    """A view that keeps (day, MB resident, active people) about every 30 days and prints them."""

    def begin(self, info: RunInfo) -> None:
        """Where the number of people lies in a frame."""
        names = [metric.name for metric, _ in info.rows]
        self.people, self.next = names.index("consumers_active"), FIRST
        self.rows: list[tuple[int, float, float]] = []
        self.end_day = info.duration_s // DAY

    def update(self, frame: Frame) -> None:
        """One row a month, and the last day."""
        day = frame.now_s // DAY
        if day >= self.next or day == self.end_day:
            self.next = day + 30
            self.rows.append((day, frame.memory_mb, float(frame.values[self.people])))
            print(
                f"day {day:4d}   {frame.memory_mb:7.1f} MB resident   {self.rows[-1][2]:9,.0f} "
                f"people",
                flush=True,
            )

    def mark(self, date: dt.datetime, kind: str, text: str) -> None:
        """Nothing."""

    def end(self, text: str) -> None:
        """How it ended."""
        print(text.partition(";")[0])


def main() -> None:
    """Run and compare."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "scenarios" / "two_years.yaml"
    watcher = Watcher()
    with tempfile.TemporaryDirectory() as folder:
        start(load(path), Path(folder) / "run", view=watcher)
    (_, early, before), (day, late, after) = watcher.rows[0], watcher.rows[-1]
    print(
        f"day {day} against day {FIRST}: memory {late / early:.2f}x, people {after / before:.2f}x, "
        f"memory at equal population {late / early / max(after / before, 1):.2f}x (at most 1.5x)"
    )


if __name__ == "__main__":
    main()
