"""Is the run alive, how far is it, where is its time spent: from the endpoint that the run itself
serves, in wall-clock time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twin.readers.dashboards.drawn import PALETTE, axis, lines, stat
from twin.readers.dashboards.frame import Json, Layout, colour, dashboard, panel, target
from twin.readers.dashboards.queries import CHOSEN, legend_pattern
from twin.readers.dashboards.variables import run_variables
from twin.readers.health import HEALTH, PHASES, QUEUES, Health

OWN = {each.name: each for each in HEALTH}
WINDOW = "1m"
"""What rates are taken over; at least two scrapes must fall into it."""
_CHOSEN = ",".join(f"{name}{matcher}" for name, matcher in CHOSEN.items())
_WHO = "{{branch}} {{replicate}}"


def series(name: str) -> str:
    """The query for a number on the chosen run."""
    return f"{OWN[name].prom_name}{{{_CHOSEN}}}"


def rate(name: str) -> str:
    """How fast a total grows, per second; it is too low in a run's first minute, until the window
    is full, so rates are only divided by one another."""
    return f"rate({series(name)}[{WINDOW}])"


def run_health() -> Json:
    """The dashboard on the run itself."""
    page = Layout()
    for add in (_progress, _state, _speed, _time, _upkeep):
        add(page)
    return dashboard(
        "twin-run-health",
        "Is the run alive, how far is it, where is its time spent. Wall-clock time, scraped from "
        "the run (twin run --metrics).",
        page,
        variables=run_variables("twin_run_progress_ratio", branch=""),
        span=None,
        refresh="5s",
    )


def _progress(page: Layout) -> None:
    """How far it is."""
    page.row("Is it alive, how far is it")
    page.line(
        [
            _number("Done", ["progress_ratio"], series("progress_ratio"), "percentunit", "area"),
            _number(
                "Simulated date",
                ["simulated_timestamp_seconds"],
                # Grafana takes dates in milliseconds
                f"{series('simulated_timestamp_seconds')} * 1000",
                "dateTimeAsIso",
            ),
            _number(
                "Time left",
                ["duration_seconds", "simulated_seconds", "speed_ratio"],
                f"({series('duration_seconds')} - {series('simulated_seconds')}) / "
                f"{series('speed_ratio')}",
                "s",
            ),
            _number(
                "Since it last advanced",
                ["last_progress_timestamp_seconds"],
                f"time() - {series('last_progress_timestamp_seconds')}",
                "s",
            ),
            _number(
                "Version",
                ["build_info"],
                series("build_info"),
                "none",
                legend="{{version}}",
                text="name",
            ),
        ],
        4,
    )


def _state(page: Layout) -> None:
    """Whether it is alive."""
    page.line(
        [
            _lines(
                "State",
                "short",
                [
                    (each.capitalize(), series(each), [each])
                    for each in ("building", "paused", "finished")
                ],
                fillOpacity=20,
                lineInterpolation="stepAfter",
            ),
            _lines(
                "Simulated dates",
                "dateTimeAsIso",
                [
                    (
                        "Reached",
                        f"{series('simulated_timestamp_seconds')} * 1000",
                        ["simulated_timestamp_seconds"],
                    ),
                    (
                        "Of the served reading",
                        f"{series('reading_timestamp_seconds')} * 1000",
                        ["reading_timestamp_seconds"],
                    ),
                ],
            ),
        ],
        7,
    )


def _speed(page: Layout) -> None:
    """How fast it is."""
    page.row("How fast")
    # Two metrics in one query, each named by a label that it is given here
    paces = " or ".join(
        f'label_replace({series(name)} / 86400, "what", "{what}", "", "")'
        for name, what in (("speed_ratio", "speed"), ("pace_ratio", "limit"))
    )
    page.line(
        [
            _lines(
                "Simulated days per second",
                "suffix: d/s",
                [("{{what}}", paces, ["speed_ratio", "pace_ratio"])],
                values=("speed", "limit"),
            ),
            _lines(
                "Sessions per second",
                "suffix: /s",
                [("Sessions", series("sessions_per_second"), ["sessions_per_second"])],
            ),
        ],
        8,
    )


def _time(page: Layout) -> None:
    """Where its time is spent."""
    page.row("Where its time is spent")
    # Where no time has passed between two scrapes the ratio is infinite, and cannot be drawn.
    passing = f"({rate('wall_seconds')} > 0)"
    # All phases of a run are divided by its one rate of wall-clock time
    by_phase = f"{rate('spent_seconds')} / ignoring (phase) group_left () {passing}"
    page.line(
        [
            _lines(
                "Share of the run's time by phase",
                "percentunit",
                [("{{phase}}", by_phase, ["spent_seconds", "wall_seconds"])],
                right=True,
                values=tuple(PHASES),
                fillOpacity=60,
                lineWidth=0,
                stacking={"mode": "normal", "group": "A"},
            ),
            _lines(
                "Share of the run's time on a processor",
                "percentunit",
                [
                    (
                        "Processor",
                        f"{rate('cpu_seconds')} / {passing}",
                        ["cpu_seconds", "wall_seconds"],
                    )
                ],
            ),
        ],
        9,
    )


def _upkeep(page: Layout) -> None:
    """Queues, memory, checkpoints."""
    page.row("Queues, memory, checkpoints")
    page.line(
        [
            _lines(
                "Queues",
                "short",
                [("{{queue}}", series("queue_length"), ["queue_length"])],
                values=tuple(QUEUES),
            ),
            _lines(
                "Resident memory",
                "bytes",
                [("Memory", series("resident_memory_bytes"), ["resident_memory_bytes"])],
                fillOpacity=20,
            ),
            _lines(
                "Age of the checkpoint",
                "s",
                [("Age", series("checkpoint_age_seconds"), ["checkpoint_age_seconds"])],
            ),
        ],
        8,
    )


def _about(names: Sequence[str]) -> str:
    """Description of a panel from the declarations."""
    found: list[Health] = [OWN[name] for name in dict.fromkeys(names)]
    texts = [each.help if len(found) == 1 else f"- {each.help}" for each in found]
    return (
        "\n".join(texts)
        + "\n\nPrometheus: "
        + ", ".join(f"`{each.prom_name}`" for each in found)
        + "."
    )


def _number(
    title: str,
    names: Sequence[str],
    expression: str,
    unit: str,
    graph: str = "none",
    legend: str = _WHO,
    text: str = "auto",
) -> Json:
    """A single number; the latest."""
    return panel(
        "stat",
        title,
        _about(names),
        [target(expression, legend)],
        options=stat(graph, text),
        # $step is for simulated time
        interval="1s",
        defaults={"unit": unit, "color": {"mode": "fixed", "fixedColor": PALETTE[0]}},
    )


def _lines(
    title: str,
    unit: str,
    of: Sequence[tuple[str, str, Sequence[str]]],
    right: bool = False,
    values: Sequence[str] = (),
    **custom: Any,
) -> Json:
    """Lines over wall-clock time: name, query, and whose they are; ``values`` are those of the
    label that is the one line's name."""
    targets = [target(expression, f"{name}, {_WHO}") for name, expression, _ in of]
    colours = (*PALETTE, "#5254a3", "#8ca252", "#bd9e39", "#ad494a", "#a55194")
    names = values or [name for name, _, _ in of]
    overrides = [
        colour(legend_pattern(name), colours[place % len(colours)])
        for place, name in enumerate(names)
    ]
    return panel(
        "timeseries",
        title,
        _about([each for _, _, whose in of for each in whose]),
        targets,
        options=lines(right),
        defaults=axis(unit, "", **custom) | ({"min": 0} if unit == "percentunit" else {}),
        overrides=overrides,
        interval="1s",
    )
