"""The report of `twin stress`: how often and where the policy fails its goals, in words and
pictures, and all worlds as a table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from bokeh.core.properties import value as plain
from bokeh.models import ColumnDataSource, FixedTicker, HoverTool, Range1d, Span
from bokeh.plotting import figure

from twin.experiments import page as reporting
from twin.experiments.experiment import Experiment
from twin.experiments.forks import WINDOW
from twin.experiments.page import Cell, DataTable, Group, Picture, Report, Section
from twin.experiments.stress import verdicts as stress_verdicts
from twin.experiments.stress import words as stress_words
from twin.experiments.stress.goals import Goal
from twin.experiments.stress.outcomes import (
    CONFIRM,
    DRAWN,
    SEARCH,
    Outcome,
    read_args,
    read_outcomes,
)
from twin.experiments.stress.uncertain import Uncertain
from twin.experiments.stress.verdicts import Direction, Verdict
from twin.ground.units import DAY, at, format_duration
from twin.readers.pictures import BLUE, INK, canvas, legend_below
from twin.readers.text import human

FAILS, HOLDS, NOISE = "#d55e00", BLUE, "#9aa4b2"
CLOSE = 4
"""Most parameters of a goal whose margins are drawn world by world."""
KEPT: dict[bool | None, tuple[str, None, str]] = {
    True: ("holds", None, "good"),
    False: ("fails", None, "bad"),
    None: ("not told", None, "flat"),
}
NAMES = {DRAWN: "drawn", SEARCH: "searched", CONFIRM: "fresh seeds"}


def write(experiment: Experiment) -> None:
    """Write ``report.html`` from what is in the folder."""
    goals, given = read_args(experiment)
    seen = read_outcomes(experiment, goals, given)
    found = stress_verdicts.verdicts(seen, goals, given)
    args, scenario = experiment.manifest["args"], experiment.scenario
    fork = at(scenario.start, int(args["at_s"]))
    counts = [
        f"{sum(each.world.phase == phase for each in seen)} {NAMES[phase]}"
        for phase in (DRAWN, SEARCH, CONFIRM)
    ]
    page = Report(
        f"{scenario.name}: {args['policy']['name']} under stress",
        scenario.description,
        stress_words.summary(found),
        [
            _margins(seen, goals, found),
            _directions(seen, goals, given, found),
            _ranges(given),
            _table(seen, goals, given),
        ],
        _methods(experiment, found),
        under=(
            f"Worlds: {', '.join(counts)}. Each was forked on {fork:%d %B %Y}, "
            f"{format_duration(int(args['at_s']))} after the start, "
            f"and went on to {at(scenario.start, scenario.duration):%d %B %Y} without and with: "
            f"{args['policy']['describe']}.",
        ),
        notices=[*reporting.failures(experiment), *(note for each in given for note in each.notes)],
        note="How likely means: under the ranges stated below, each parameter drawn independently. "
        "In brackets 95 % intervals.",
    )
    reporting.write(experiment, page)


def _margins(seen: Sequence[Outcome], goals: Sequence[Goal], found: Sequence[Verdict]) -> Section:
    pictures = [
        Picture(
            f"margin-{g}",
            goal.text,
            _strip(seen, goals, g, verdict),
            "One point a world. Left of the line the goal fails. Bars: mean and interval over the "
            "fresh seeds.",
        )
        for g, (goal, verdict) in enumerate(zip(goals, found, strict=True))
    ]
    return Section(
        "margins",
        "By how much goals are kept",
        "Worlds drawn blindly tell how often; those searched are aimed at the worst.",
        groups=[Group(pictures, width="wide")],
    )


def _strip(seen: Sequence[Outcome], goals: Sequence[Goal], g: int, verdict: Verdict) -> figure:
    """Margins of all worlds in rows by phase; the order within a row is that of the worlds."""
    goal = goals[g]
    rows: list[tuple[str, list[Outcome]]] = [
        (NAMES[phase], [each for each in seen if each.world.phase == phase])
        for phase in (DRAWN, SEARCH)
    ]
    for name, one in (("worst, fresh", verdict.worst), ("least bad, fresh", verdict.best)):
        if one:
            rows.append(
                (
                    name,
                    [
                        each
                        for each in seen
                        if each.world.phase == CONFIRM and each.world.point == one.point
                    ],
                )
            )
    rows = [(name, those) for name, those in rows if those]
    plot = canvas(None, 90 + 70 * len(rows), "1")
    plot.xaxis.axis_label = "margin" + (
        f" ({goal.unit if not goal.percent else 'percentage points'})" if goal.unit else ""
    )
    data: dict[str, list[Any]] = {"x": [], "y": [], "colour": [], "said": []}
    for place, (_, those) in enumerate(rows):
        for k, each in enumerate(those):
            margin = each.margins(goals)[g]
            if math.isfinite(margin):
                fails = goal.holds(each.base[g], each.value[g]) is False
                data["x"].append(margin)
                data["y"].append(len(rows) - place - 0.2 - 0.6 * (k + 0.5) / len(those))
                data["colour"].append(FAILS if fails else HOLDS)
                data["said"].append(
                    f"world {each.world.point}: {human(each.base[g])} without, "
                    f"{human(each.value[g])} with the policy"
                )
    points = plot.scatter(
        "x",
        "y",
        source=ColumnDataSource(data),
        size=7,
        color="colour",
        alpha=0.75,
        line_color="white",
    )
    for name, one in (("worst, fresh", verdict.worst), ("least bad, fresh", verdict.best)):
        row = next((k for k, (label, _) in enumerate(rows) if label == name), None)
        if one and row is not None and math.isfinite(one.mean):
            y = len(rows) - row - 0.1
            plot.segment([one.low], [y], [one.high], [y], color=INK, line_width=2.5)
            plot.scatter([one.mean], [y], size=9, color=INK)
    plot.add_layout(Span(location=0, dimension="height", line_color=INK, line_width=1))
    plot.y_range = Range1d(0, len(rows))
    plot.yaxis.ticker = FixedTicker(ticks=[len(rows) - k - 0.5 for k in range(len(rows))])
    plot.yaxis.major_label_overrides = {
        len(rows) - k - 0.5: name for k, (name, _) in enumerate(rows)
    }
    plot.ygrid.grid_line_color = None
    plot.add_tools(
        HoverTool(renderers=[points], tooltips=[("", "@said"), ("margin", "@x{0.[0000]}")])
    )
    return plot


def _directions(
    seen: Sequence[Outcome],
    goals: Sequence[Goal],
    given: Sequence[Uncertain],
    found: Sequence[Verdict],
) -> Section:
    groups = []
    drawn = [each for each in seen if each.world.phase == DRAWN]
    for g, verdict in enumerate(found):
        pictures = [
            Picture(
                f"direction-{g}",
                "Which parameters decide",
                _ladder(verdict.directions),
                "Rank correlation of each parameter with the margin; left: high values break the "
                "goal. Grey may be noise.",
            )
        ]
        close = [each for each in verdict.directions if each.sure][:CLOSE]
        for k, each in enumerate(close):
            place = next(i for i, one in enumerate(given) if one.vary.path == each.parameter)
            pictures.append(
                Picture(
                    f"close-{g}-{k}", each.parameter, _close(drawn, goals, g, given[place], place)
                )
            )
        unsure = [each.parameter for each in verdict.directions if not each.sure]
        quiet = f"Not told from noise: {', '.join(unsure)}." if unsure else ""
        groups.append(Group(pictures, verdict.goal.text, quiet=quiet))
    columns = [
        ("Goal", False),
        ("Parameter", False),
        ("Rank correlation", True),
        ("p", True),
        ("q", True),
        ("Mean where it fails", True),
        ("Mean where it holds", True),
        ("p of their difference", True),
        ("q of it", True),
    ]
    rows = [
        [
            Cell(verdict.goal.text),
            Cell(each.parameter, tone="" if each.sure else "flat"),
            *(
                reporting.number(number)
                for number in (
                    each.correlation,
                    each.p,
                    each.q,
                    each.failing,
                    each.holding,
                    each.difference_p,
                    each.difference_q,
                )
            ),
        ]
        for verdict in found
        for each in verdict.directions
    ]
    lead = "Over the worlds drawn. Means are places in the range: 0 its lower end, 1 its upper."
    return Section(
        "directions",
        "Where failure lies",
        lead,
        groups=groups,
        table=DataTable(columns, rows, "Only rows with these words, such as: creators"),
    )


def _ladder(directions: Sequence[Direction]) -> figure:
    """Rank correlations one under another, named above their lines."""
    known = [each for each in directions if math.isfinite(each.correlation)]
    plot = canvas(None, 60 + 30 * max(1, len(known)), "1")
    plot.xaxis.axis_label = "rank correlation with the margin"
    tops = [float(len(known) - k) for k in range(len(known))]
    source = ColumnDataSource(
        {
            "y": [top - 0.7 for top in tops],
            "above": [top - 0.35 for top in tops],
            "x": [each.correlation for each in known],
            "zero": [0.0] * len(known),
            "left": [-1.0] * len(known),
            "name": [each.parameter for each in known],
            "colour": [
                (FAILS if each.correlation < 0 else HOLDS) if each.sure else NOISE for each in known
            ],
            "q": [each.q for each in known],
        }
    )
    plot.x_range, plot.y_range = Range1d(-1, 1), Range1d(0, max(1, len(known)))
    plot.add_layout(Span(location=0, dimension="height", line_color=INK, line_width=1))
    plot.text(
        "left",
        "above",
        text="name",
        source=source,
        text_font_size="11px",
        text_font=plain("system-ui"),
        text_color=INK,
        x_offset=4,
        text_baseline="middle",
    )
    plot.segment("zero", "y", "x", "y", source=source, color="colour", line_width=5)
    points = plot.scatter("x", "y", source=source, size=8, color="colour")
    plot.add_tools(
        HoverTool(
            renderers=[points],
            tooltips=[("", "@name"), ("correlation", "@x{0.[00]}"), ("q", "@q{0.[0000]}")],
        )
    )
    plot.yaxis.visible = False
    plot.ygrid.grid_line_color = None
    return plot


def _close(
    drawn: Sequence[Outcome], goals: Sequence[Goal], g: int, one: Uncertain, place: int
) -> figure:
    """Margins of the worlds drawn against one parameter's place in its range."""
    goal = goals[g]
    plot = canvas(None, 260, "1")
    vary = one.vary
    ends = (vary.levels[0], vary.levels[-1]) if vary.levels else (vary.at(0.0), vary.at(1.0))
    plot.xaxis.ticker = FixedTicker(ticks=[0, 1])
    plot.xaxis.major_label_overrides = {0: ends[0], 1: ends[1]}
    plot.yaxis.axis_label = "margin"
    for label, colour, fails in (("fails", FAILS, True), ("holds", HOLDS, False)):
        mine = [
            each
            for each in drawn
            if goal.holds(each.base[g], each.value[g]) is (not fails)
            and math.isfinite(each.margins(goals)[g])
        ]
        if mine:
            plot.scatter(
                [one.position(each.world.values[place]) for each in mine],
                [each.margins(goals)[g] for each in mine],
                size=7,
                color=colour,
                alpha=0.75,
                line_color="white",
                legend_label=label,
            )
    plot.add_layout(Span(location=0, dimension="width", line_color=INK, line_width=1))
    plot.x_range = Range1d(-0.05, 1.05)
    if plot.legend:
        legend_below(plot, 2)
    return plot


def _ranges(given: Sequence[Uncertain]) -> Section:
    rows = [
        [
            Cell(each.vary.path),
            Cell(stress_words.human_range(each).removeprefix(f"{each.vary.path} ")),
            Cell(each.reason),
        ]
        for each in given
    ]
    return Section(
        "ranges",
        "What is not known",
        "The ranges that worlds are drawn from. Everything said here holds under these alone.",
        table=DataTable([("Parameter", False), ("Range", False), ("Why", False)], rows),
    )


def _table(seen: Sequence[Outcome], goals: Sequence[Goal], given: Sequence[Uncertain]) -> Section:
    columns = [
        ("Phase", False),
        ("World", True),
        ("Replicate", True),
        ("Goal", False),
        ("Without", True),
        ("With", True),
        ("Margin", True),
        ("Holds", False),
        *((each.vary.path, True) for each in given),
    ]
    rows = []
    for each in seen:
        for g, goal in enumerate(goals):
            kept = goal.holds(each.base[g], each.value[g])
            rows.append(
                [
                    Cell(NAMES[each.world.phase]),
                    Cell(str(each.world.point), each.world.point),
                    Cell(str(each.world.replicate), each.world.replicate),
                    Cell(goal.text),
                    *(
                        reporting.number(number)
                        for number in (each.base[g], each.value[g], each.margins(goals)[g])
                    ),
                    Cell(*KEPT[kept]),
                    *(
                        Cell(text, one.position(text))
                        for one, text in zip(given, each.world.values, strict=True)
                    ),
                ]
            )
    return Section(
        "table",
        "All worlds",
        "Click a heading to sort.",
        table=DataTable(columns, rows, "Only rows with these words, such as: searched fails"),
    )


def _methods(experiment: Experiment, found: Sequence[Verdict]) -> list[tuple[str, str]]:
    args, scenario = experiment.manifest["args"], experiment.scenario
    days = min(WINDOW, scenario.duration - int(args["at_s"])) / DAY
    tested = sum(math.isfinite(each.p) for verdict in found for each in verdict.directions)
    sure = int(np.sum([each.sure for verdict in found for each in verdict.directions]))
    return [
        (
            "Goals",
            f"means over the last {days:.3g} days with the policy; effect(...): less the same "
            f"world without it, with the same luck. "
            "What is counted is counted per day. Margin: distance from the threshold, negative "
            "where the goal fails.",
        ),
        (
            "Drawn",
            f"{args['worlds']} worlds, a Latin hypercube of the ranges scrambled by seed "
            f"{scenario.seed}, replicate i for world i; "
            "share of failures with Clopper and Pearson's 95 % interval, of worlds whose margin is "
            "known.",
        ),
        (
            "Searched",
            f"{args['search']} worlds by Optuna's tree-structured Parzen estimator, warm with "
            f"those drawn, at the least margin "
            "(of many goals: in standard deviations of the worlds drawn).",
        ),
        (
            "Confirmed",
            f"per goal the worlds of least and greatest margin, {args['confirm']} replicates that "
            f"no world had; mean margin with "
            "a 95 % interval (t distribution).",
        ),
        (
            "Direction",
            f"Spearman's rank correlation with the margin, over the worlds drawn: {tested} tests, "
            f"{sure} told from noise "
            "(Benjamini and Hochberg's q below 0.05 over all goals and parameters).",
        ),
        *reporting.usual_methods(experiment),
    ]
