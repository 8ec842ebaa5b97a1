"""What a run shows while it runs: the same changes in the terminal, on the live page and in the
report, whatever process takes the readings."""

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

import numba
import numpy as np
import pytest
from numpy.typing import NDArray
from rich.console import Console

from twin.ground.units import DAY, HOUR
from twin.readers.baseline import Windows, policies_in_force
from twin.readers.headlines import cards
from twin.readers.live.history import History
from twin.readers.live.page import LivePage
from twin.readers.report import write_report
from twin.readers.terminal import LiveView, PlainView
from twin.record.results import load_events, load_metrics
from twin.record.watch import Frame, RunInfo, Watcher, Watchers
from twin.running import drive
from twin.scenario.loading import Scenario

PLAN = (
    "policies=[{name: early, at: 2d, set: {recommender.preset: likes}},"
    "{name: label_ai, at: 5d, until: 7d, set: {creators.label_ai: 0.9}}]"
)
FEW = ("audience.initial=60", "creators.human.initial=10", "creators.ai.initial=2")


class Until(LiveView):
    """A view whose user presses Ctrl-C on a day."""

    def __init__(self, day: int) -> None:
        super().__init__()
        self.left = [day * DAY]

    def update(self, frame: Frame) -> None:
        super().update(frame)
        if self.left and frame.now_s >= self.left[0]:
            self.left.clear()
            os.kill(os.getpid(), signal.SIGINT)


def drawn(view: LiveView) -> list[str]:
    """The lines of the last picture, without wall-clock time and memory."""
    view.console = Console(width=90, record=True, force_terminal=False)
    with view.console.capture() as caught:
        view.console.print(view.draw())
    return [line for line in caught.get().splitlines() if "sessions/s" not in line]


class Compiling(Watcher):
    """A watcher for whom a kernel is compiled when day 2 is read."""

    def __init__(self) -> None:
        self.frames = list[Frame]()

    def reading(self, now_s: int, values: NDArray[np.float64]) -> None:
        if now_s == 2 * DAY:
            numba.njit(lambda x: x + x)(np.ones(3))

    def update(self, frame: Frame) -> None:
        self.frames.append(frame)


def test_what_is_compiled_is_no_part_of_the_pace(
    small: Callable[..., Scenario], tmp_path: Path
) -> None:
    """The frame after a kernel was compiled says how long that took, and its point leaves it out."""
    watcher = Compiling()
    drive.start(small("duration=3d", *FEW), tmp_path / "out", watcher=watcher)
    before, after = (
        next(frame for frame in watcher.frames if frame.now_s >= second)
        for second in (2 * DAY, 2 * DAY + HOUR)
    )
    took = after.compiled_s - before.compiled_s
    assert took > 0
    passed = after.wall_s - before.wall_s
    assert after.point[0] - before.point[0] == pytest.approx(passed - took)


@pytest.fixture
def folder(small: Callable[..., Scenario], tmp_path: Path) -> tuple[Path, LiveView, LiveView]:
    """A run that was interrupted twice, its last view, and that of the same run in one piece."""
    scenario = small("duration=20d", "start=2025-02-26", "metrics.every=6h", PLAN, *FEW)
    views, out = [Until(day) for day in (4, 7, 12, 12)], tmp_path / "parts"
    drive.start(scenario, tmp_path / "whole", watcher=views[3])
    drive.start(scenario, out, watcher=views[0])
    for view in views[1:3]:
        assert drive.resume(out, watcher=view).status == "interrupted"
    write_report(out)
    return out, views[2], views[3]


def test_changes_are_from_one_baseline(folder: tuple[Path, LiveView, LiveView]) -> None:
    """Terminal, live page and report: the part of the run before the last policy that took effect;
    a run that was resumed shows what it would have shown in one piece."""
    out, last, whole = folder
    shown = drawn(last)
    assert shown == drawn(whole)
    metrics, marks = load_metrics(out), policies_in_force(load_events(out))
    windows = Windows(metrics, marks)
    assert windows.name == "the 2.9 days before “label_ai” on 3 March"
    assert f"changes against {windows.name}" in "\n".join(shown)
    assert windows.name in (out / "report.html").read_text(encoding="utf-8")
    reported = [
        (card["after"], card["change"])
        for side in cards(metrics, windows)
        for card in side["cards"]
    ]
    assert len(reported) >= 5 and len({change for _, change in reported}) >= 4
    for after, change in reported:
        words = re.compile(rf" {re.escape(after)} +{re.escape(change)} ")
        assert any(words.search(line) for line in shown), (after, change)
    # the page thins its readings, but not those of headlines
    history = History(last.course.info, most=9)
    for when, values in zip(metrics.times, metrics.values, strict=True):
        history.take(int((when - metrics.times[0]).astype(int)), values)
    page = LivePage(history)
    for when_, name in marks:
        page.mark(when_, name)
    assert sorted((card["value"], card["change"]) for card in page.cards()) == sorted(reported)


class Pausing(Watcher):
    """A user who pauses the run after its first day, sees 8 frames of that, and continues it."""

    def __init__(self, view: LiveView) -> None:
        self.view, self.frames, self.pictures = view, list[Frame](), list[str]()

    def begin(self, info: RunInfo) -> None:
        self.mailbox = info.out / "mailbox"

    def update(self, frame: Frame) -> None:
        self.frames.append(frame)
        paused = sum(each.paused for each in self.frames)
        self.view.console = Console(width=120, record=True, force_terminal=False)
        if frame.paused:
            with self.view.console.capture() as caught:
                self.view.console.print(self.view.draw())
            self.pictures.append(caught.get())
        if frame.now_s == DAY and not paused:
            (self.mailbox / "0.json").write_text('{"do": "pause"}', encoding="utf-8")
        if paused == 8:
            (self.mailbox / "1.json").write_text('{"do": "continue"}', encoding="utf-8")


def test_a_pause_is_said_and_counts_for_no_time_left(
    small: Callable[..., Scenario], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """While a run is paused every view says so and none gives a speed or a time left; afterwards
    both are those of the run without the pause."""
    view, stop = LiveView(), Until(3)
    user = Pausing(view)
    scenario = small("duration=20d", "policies=[]", *FEW)
    drive.start(scenario, tmp_path / "run", watcher=Watchers(view, PlainView(), user, stop))
    at_rest = [frame for frame in user.frames if frame.paused]
    assert len(at_rest) >= 8 and len({frame.now_s for frame in at_rest}) == 1
    for picture in user.pictures:
        assert "paused; continue with: twin" in picture
        assert "sessions/s" not in picture and " left " not in picture
    plain = capsys.readouterr().out
    assert plain.count("%  paused; continue with: twin continue") == 1
    assert plain.partition("%  paused;")[2].splitlines()[1].endswith("%  continues")
    # the first frame after the pause knows how long it was, and the speed does not
    last = user.frames[user.frames.index(at_rest[-1]) + 1]
    before = user.frames[user.frames.index(at_rest[0]) - 1]
    length = at_rest[-1].wall_s - at_rest[0].wall_s
    assert not last.paused and last.paused_s >= length > 1
    assert last.point[0] - before.point[0] <= last.wall_s - before.wall_s - length
