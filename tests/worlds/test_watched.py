"""What a run shows while it runs: the same changes in the terminal, on the live page and in the
report, whatever process takes the readings."""

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from twin.ground.units import DAY
from twin.readers.baseline import Windows, policies_in_force
from twin.readers.headlines import cards
from twin.readers.live.history import History
from twin.readers.live.page import LivePage
from twin.readers.report import write_report
from twin.readers.terminal import LiveView
from twin.record.results import load_events, load_metrics
from twin.record.watch import Frame
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
