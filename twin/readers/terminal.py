"""Watching a run in the terminal: a live view on a terminal, plain lines into a pipe or a file.

Both show the simulated date, progress, sessions per second of wall-clock time, time left, the
headline metrics of both sides and event marks. Counters are shown per day. What a change is a
change from is said in `baseline`. The simulation reads nothing from here.
"""

from __future__ import annotations

import datetime as dt
import sys
import time
from collections import deque

import numpy as np
from numpy.typing import NDArray
from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from twin.ground.errors import TwinError
from twin.ground.units import DAY, at, in_percent
from twin.readers.baseline import Windows
from twin.readers.heads import Heads
from twin.readers.panels import tone
from twin.readers.text import change, human, span, sparkline
from twin.record.results import Metrics
from twin.record.watch import Frame, RunInfo, Watcher, pace
from twin.world.metric import Metric

TITLES = {
    "producer": "Creators",
    "consumer": "Consumers",
    "platform": "Platform",
    "chatbot": "Chatbots",
}
STYLES = {"good": "green", "bad": "red", "flat": "dim"}

LONGEST = 200
"""Characters of a plain line, about. Headlines that do not fit are left out, alternating between
sides, so that each side is shown."""
BUILDING = (
    "building the world; the first run on a machine also compiles the kernels (about half a minute)"
)


def make_view(quiet: bool) -> Watcher:
    """The view for standard output: nothing if ``quiet``, live on a terminal, else plain lines."""
    if quiet:
        return Watcher()
    return LiveView() if sys.stdout.isatty() else PlainView()


class _Course:
    """Headline series so far, and the pace of the run."""

    def __init__(self, info: RunInfo) -> None:
        self.info = info
        self.heads = Heads(info)
        self._pace: deque[tuple[float, int, int]] = deque(maxlen=200)
        self.frame: Frame | None = None
        self.earlier: list[tuple[dt.datetime, str, str]] = []
        """Events of a resumed run from before it was interrupted."""
        self.unread = ""
        """Why its earlier readings could not be read."""
        try:
            self.earlier = self.heads.load()
        except TwinError as error:
            self.unread = f"changes are since the run was resumed: {error}"

    def take(self, frame: Frame) -> None:
        """Note a frame."""
        self.frame = frame
        if not frame.paused:
            self._pace.append(frame.point)

    def lines(self, metrics: Metrics) -> list[tuple[Metric, str, NDArray[np.float64]]]:
        """Metric, name with labels, and values so far (readings,), of each headline series."""
        if not len(metrics.times):
            return []
        found = []
        for metric in metrics.declared.values():
            per = "/d" if metric.kind == "counter" else ""
            for label, values in metrics.lines(metric.name):
                name = " ".join([metric.name.replace("_", " "), label.replace(", ", " ")]).strip()
                found.append((metric, name + per, values))
        return found

    def pace(self) -> tuple[float, float]:
        """Sessions per second and seconds left, over the last frames."""
        return pace(self._pace, self.info.duration_s)

    @property
    def share(self) -> float:
        """Part of the run that is done, 0..1; while the world warms up, part of that."""
        if self.frame is None:
            return 0.0
        now = self.frame.now_s
        return (
            min(1.0, now / self.info.duration_s)
            if now >= 0
            else max(0.0, 1 + now / max(self.info.warm_up_s, 1))
        )


class PlainView(Watcher):
    """One line every 5 % of the run or 10 seconds, and one per event."""

    def begin(self, info: RunInfo) -> None:
        """Print what starts."""
        self.course, self._printed, self._paused = _Course(info), 0.0, False
        self._reported = 20 * info.resumed_at_s // info.duration_s  # twentieths of the run
        verb = (
            f"resumes at {at(info.start, info.resumed_at_s):%Y-%m-%d}"
            if info.resumed_at_s
            else f"starts on {info.start}"
        )
        print(f"{info.name} {verb}, {info.duration_s / DAY:g} days, into {info.out}", flush=True)
        if not info.resumed_at_s:
            print(BUILDING, flush=True)
        if self.course.unread:
            print(self.course.unread, flush=True)

    def reading(self, now_s: int, values: NDArray[np.float64]) -> None:
        """Keep the headlines."""
        self.course.heads.take(now_s, values)

    def update(self, frame: Frame) -> None:
        """A line now and then."""
        self.course.take(frame)
        info = self.course.info
        if frame.paused or self._paused:
            self._pause(frame)
            return
        twentieths = 20 * frame.now_s // (info.duration_s if frame.now_s >= 0 else info.warm_up_s)
        if twentieths == self._reported and frame.wall_s - self._printed < 10:
            return
        self._reported = twentieths
        self._printed = frame.wall_s
        rate, left = self.course.pace()
        if frame.now_s < 0:
            print(
                f"{at(info.start, frame.now_s):%Y-%m-%d}  warming up: {in_percent(self.course.share)} of "
                f"{info.warm_up_s / DAY:g} days before "
                f"the start  left {span(left)}",
                flush=True,
            )
            return
        start = (
            f"{at(info.start, frame.now_s):%Y-%m-%d}  {in_percent(self.course.share):>5}  "
            f"{rate:,.0f} sessions/s  left {span(left)}"
        )
        print("  ".join([start, *self._heads(LONGEST - 50)]), flush=True)

    def _pause(self, frame: Frame) -> None:
        """A line when the run is paused and one when it continues; none in between, however long
        that takes."""
        if frame.paused == self._paused:
            return
        self._paused, self._printed = frame.paused, frame.wall_s
        info = self.course.info
        said = f"paused; continue with: twin continue {info.out}" if frame.paused else "continues"
        date = f"{at(info.start, frame.now_s):%Y-%m-%d}"
        print(f"{date}  {in_percent(self.course.share):>5}  {said}", flush=True)

    def _heads(self, room: int) -> list[str]:
        """As many headlines as fit, the first ones of each side first, in declared order."""
        lines = self.course.lines(self.course.heads.metrics())
        seen = dict.fromkeys(TITLES, 0)
        turns = []
        for place, (metric, name, _) in enumerate(lines):
            # sorted by its number within the side, so that sides take turns
            turns.append((seen[metric.side], place, len(name) + 9))
            seen[metric.side] += 1
        chosen = []
        for _, place, width in sorted(turns):
            if width <= room:
                room -= width
                chosen.append(place)
        return [
            f"{name} {human(values[-1], metric.unit)}"
            for metric, name, values in (lines[place] for place in sorted(chosen))
        ]

    def mark(self, now_s: int, kind: str, text: str) -> None:
        """An event."""
        self.course.heads.mark(now_s, kind, text)
        print(f"{at(self.course.info.start, now_s):%Y-%m-%d}  {kind}: {text}", flush=True)

    def note(self, text: str) -> None:
        """A line for the user."""
        print(text, flush=True)

    def end(self, text: str) -> None:
        """The end."""
        print(text, flush=True)


class LiveView(Watcher):
    """A view that is redrawn in place, at most eight times a second, and leaves its last frame."""

    def __init__(self) -> None:
        self.console = Console()

    def begin(self, info: RunInfo) -> None:
        """Print what starts; the picture opens with the first frame."""
        self.course, self._drawn = _Course(info), 0.0
        self.marks: deque[str] = deque(maxlen=5)
        for when, kind, text in self.course.earlier[-5:]:
            self.marks.append(f"{when:%Y-%m-%d}  {kind}: {text}")
        # drawn in the run's thread, without one of its own
        self._live = Live(console=self.console, auto_refresh=False, transient=False)
        if not info.resumed_at_s:
            self.console.print(Text(BUILDING, "dim"))
        if self.course.unread:
            self.note(self.course.unread)

    def reading(self, now_s: int, values: NDArray[np.float64]) -> None:
        """Keep the headlines."""
        self.course.heads.take(now_s, values)

    def update(self, frame: Frame) -> None:
        """Note the frame and redraw if the last picture is old enough."""
        self.course.take(frame)
        # the last frame is drawn however soon it comes
        if time.monotonic() - self._drawn > 0.125 or frame.now_s >= self.course.info.duration_s:
            self._drawn = time.monotonic()
            # does nothing once it has started
            self._live.start()
            self._live.update(self.draw(), refresh=True)

    def mark(self, now_s: int, kind: str, text: str) -> None:
        """Keep the last few events on the screen."""
        self.course.heads.mark(now_s, kind, text)
        self.marks.append(f"{at(self.course.info.start, now_s):%Y-%m-%d}  {kind}: {text}")

    def note(self, text: str) -> None:
        """A line above the picture, which stays."""
        self.console.print(Text(text), soft_wrap=True)

    def end(self, text: str) -> None:
        """Leave the last picture and print how it ended."""
        if self.course.frame:
            self._live.update(self.draw(), refresh=True)
        self._live.stop()
        self.console.print(Text(text))

    def draw(self) -> Panel:
        """The whole picture, for the console's width."""
        info, frame = self.course.info, self.course.frame
        assert frame is not None
        rate, left = self.course.pace()
        date = at(info.start, frame.now_s)
        # date, progress, and a line of facts
        head = Table.grid(expand=True, padding=(0, 2, 0, 0))
        head.add_column(no_wrap=True)
        head.add_column(ratio=1)
        head.add_column(justify="right", no_wrap=True)
        head.add_row(
            Text(f"{date:%Y-%m-%d}", "bold"),
            ProgressBar(100.0, 100 * self.course.share),
            in_percent(self.course.share),
        )
        where = f"day {frame.now_s / DAY:.0f} of {info.duration_s / DAY:g}"
        speed = f"{rate:,.0f} sessions/s   "
        if frame.now_s < 0:
            left_days, whole = -frame.now_s / DAY, info.warm_up_s / DAY
            where, speed = f"warming up: {left_days:.0f} of {whole:g} days to the start", ""
        facts = Text(f"{where}   {speed}{span(left)} left   {frame.memory_mb:,.0f} MB", "dim")
        if frame.paused:
            facts = Text.assemble(
                (f"{where}   ", "dim"),
                ("paused", "bold yellow"),
                (f"; continue with: twin continue {info.out}", "dim"),
            )
        metrics = self.course.heads.metrics()
        windows = Windows(metrics, self.course.heads.marks)
        compared = [Text(windows.words, "dim")] if len(metrics.times) > 1 else []
        # a table per side: two beside each other on a wide terminal
        width = (self.console.width - 8) // (2 if self.console.width >= 100 else 1)
        lines = self.course.lines(metrics)
        sides = [
            self._side(side, width, [line for line in lines if line[0].side == side], windows)
            for side in TITLES
        ]
        body = Table.grid(expand=True, padding=(0, 2, 0, 0))
        shown = [table for table in sides if table.row_count]
        if self.console.width >= 100:
            for _ in range(2):
                body.add_column(ratio=1)
            for pair in range(0, len(shown), 2):
                body.add_row(*shown[pair : pair + 2])
        else:
            for table in shown:
                body.add_row(table)
        # the last few events
        marks = [Text(mark, "yellow", no_wrap=True, overflow="ellipsis") for mark in self.marks]
        return Panel(
            Group(head, facts, *compared, body, *marks), title=Text(info.name), border_style="blue"
        )

    def _side(
        self,
        side: str,
        width: int,
        lines: list[tuple[Metric, str, NDArray[np.float64]]],
        windows: Windows,
    ) -> Table:
        table = Table(
            title=TITLES[side],
            title_justify="left",
            title_style="bold",
            show_header=False,
            box=None,
            expand=True,
            padding=(0, 1, 0, 0),
        )
        # what the name and the two columns of numbers leave
        spark = max(6, min(30, width - 46))
        table.add_column(no_wrap=True, ratio=1)
        table.add_column(no_wrap=True, style="cyan", width=spark)
        table.add_column(no_wrap=True, justify="right", width=7)
        table.add_column(no_wrap=True, justify="right", width=8)
        for metric, name, values in lines:
            before, after = windows.values(values)
            table.add_row(
                name,
                # at the first reading nothing has happened yet
                sparkline(values[1:], spark),
                human(after, metric.unit),
                Text(change(before, after), STYLES[tone(metric, before, after)]),
            )
        return table
