"""What a run says in the terminal: numbers as people read them, one line now and then, a picture
that fits."""

import datetime as dt
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from twin.mechanisms import REGISTRY
from twin.readers.terminal import Frame, LiveView, PlainView, RunInfo
from twin.readers.text import change, human, short, span, sparkline
from twin.world.metric import Metric

DAY = 86400
DECLARED = (
    Metric(
        "sessions", "counter", "sessions", "Sessions.", "consumer", "P", headline=True, good="up"
    ),
    Metric("creator_morale", "gauge", "1", "Morale.", "producer", "P", headline=True, good="up"),
    Metric("hidden", "gauge", "1", "Not shown.", "platform", "P"),
)
INFO = RunInfo(
    "demo [red]not markup[/red]",
    dt.date(2025, 1, 1),
    10 * DAY,
    0,
    [(metric, labels) for metric in DECLARED for labels in metric.series()],
    Path("runs/demo"),
)


def frame(day: float) -> Frame:
    return Frame(
        int(day * DAY), day / 2, int(100 * day), np.array([100 * day, 0.5 - day / 100, 7.0]), 123.0
    )


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0, "1", "0"),
        (0.25, "1", "0.25"),
        (12.345, "1", "12.3"),
        (1234, "1", "1.23 k"),
        (5.6e6, "bytes", "5.6 MB"),
        (90, "s", "1.5 min"),
        (2 * DAY, "s", "2 d"),
        (float("nan"), "1", "-"),
        (-0.5, "1", "−0.5"),
        (4.2e-4, "1", "0.00042"),
        (5e-4, "1", "0.0005"),
        (-0.00987, "1", "−0.0099"),
        (-9.96e-5, "1", "−0.0001"),
        (3.1e-5, "s", "0.000031 s"),
        (1e-7, "1", "~0"),
    ],
)
def test_numbers_as_people_read_them(value: float, unit: str, text: str) -> None:
    """Three digits, a letter for thousands, units of time."""
    assert human(value, unit) == text


@pytest.mark.parametrize(
    ("first", "last", "text"),
    [
        (2, 3, "+50 %"),
        (4, 3.9, "−2.5 %"),
        (1, 1, "±0"),
        (0, 3, "+3"),
        (-1, 1, "+2"),
        (-0.04, -0.07, "−0.03"),
        (float("nan"), 1, ""),
    ],
)
def test_changes(first: float, last: float, text: str) -> None:
    """Percent where that means something, else the difference."""
    assert change(first, last) == text


def test_small_helpers() -> None:
    """Spans, sparklines and cut texts."""
    assert [span(s) for s in (22, 185, 7800, float("nan"))] == ["22 s", "3:05 min", "2:10 h", "?"]
    assert (
        sparkline([0, 1, 2, 3], 4) == "▁▃▆█"
        and sparkline([5, 5], 4) == "▁▁  "
        and sparkline([], 3) == "   "
    )
    assert short("abcdef", 4) == "abc…" and short("abc", 4) == "abc"


def test_plain_view_speaks_every_twentieth(capsys: pytest.CaptureFixture[str]) -> None:
    """A thousand frames make about twenty lines, with date, progress, pace and headlines; events
    are told when they come."""
    view = PlainView()
    view.begin(INFO)
    for step in range(1, 1001):
        view.reading(frame(step / 100).now_s, frame(step / 100).values)
        view.update(frame(step / 100))
    view.mark(4 * 86400, "policy", "a change")
    view.end("done")
    lines = capsys.readouterr().out.splitlines()
    progress = [line for line in lines if "sessions/s" in line]
    assert len(progress) == 20 and progress[9].startswith("2025-01-06   50 %")
    assert "200 sessions/s" in progress[9] and (
        "left 3 s" in progress[9] or "left 2 s" in progress[9]
    )
    assert "creator morale 0.45" in progress[9] and "hidden" not in progress[9]
    assert lines[0].startswith("demo [red]") and lines[-2:] == [
        "2025-01-05  policy: a change",
        "done",
    ]


def test_time_left_does_not_count_what_is_compiled_once(capsys: pytest.CaptureFixture[str]) -> None:
    """A first step that took eight minutes of compiling and one second of the run: the next line
    speaks of the pace that follows."""
    view = PlainView()
    view.begin(INFO)
    values = np.array([100.0, 0.5, 7.0])
    # day, wall-clock seconds, and how many of them the compiler took
    for day, wall, took in ((0.1, 1.0, 0.0), (0.6, 482.0, 480.0), (1.1, 483.0, 480.0)):
        view.reading(int(day * DAY), values)
        view.update(Frame(int(day * DAY), wall, int(60 * day), values, 1.0, compiled_s=took))
    lines = [line for line in capsys.readouterr().out.splitlines() if "sessions/s" in line]
    assert [line.partition("left ")[2].split("  ")[0] for line in lines] == ["19 s", "18 s"]
    assert "30 sessions/s" in lines[-1]


def test_plain_lines_stay_short(capsys: pytest.CaptureFixture[str]) -> None:
    """However many headlines are declared, a line is about 200 characters at most, and each side's
    first headline is in it."""
    sides = ("producer", "consumer", "platform", "chatbot")
    many = [
        Metric(f"{side}_headline_number_{k}", "gauge", "1", "One.", side, "P", headline=True)
        for k in range(9)
        for side in sides
    ]
    view = PlainView()
    view.begin(
        RunInfo(
            "many",
            dt.date(2025, 1, 1),
            10 * DAY,
            0,
            [(metric, {}) for metric in many],
            Path("runs/many"),
        )
    )
    for day in range(1, 10):
        values = np.full(len(many), -12345.0 - day)
        view.reading(day * DAY, values)
        view.update(Frame(day * DAY, day * 11.0, day * 10**6, values, 1.0))
    lines = [line for line in capsys.readouterr().out.splitlines() if "sessions/s" in line]
    assert lines and max(map(len, lines)) <= 200
    assert all(
        f"{side} headline number 0 −" in line.replace("-", "−") for side in sides for line in lines
    )


def test_built_in_headlines_fit_a_plain_line() -> None:
    """About ten metrics are headlines, some of every side."""
    heads = [metric for kind in REGISTRY.values() for metric in kind.metrics if metric.headline]
    assert 8 <= len(heads) <= 12 and {metric.side for metric in heads} == {
        "producer",
        "consumer",
        "platform",
        "chatbot",
    }


@pytest.mark.parametrize("width", [50, 80, 100, 160])
def test_live_view_fits_and_shows_both_sides(width: int) -> None:
    """The picture is never wider than the terminal, names take their place, and markup in names
    stays text."""
    view = LiveView()
    view.begin(INFO)
    view.console = Console(width=width, record=True, force_terminal=False)
    for day in range(1, 8):
        view.reading(frame(day).now_s, frame(day).values)
        view.course.take(frame(day))
    view.marks.append("2025-01-05  policy: [bold]x[/bold] " + "long " * 60)
    with view.console.capture() as caught:
        view.console.print(view.draw())
    text = caught.get()
    assert max(len(line) for line in text.splitlines()) <= width
    for words in ("2025-01-08", "70 %", "Creators", "Consumers", "[bold]x"):
        assert words in text
    assert "sessions/d" in text or width == 50
    assert "[red]" in text
