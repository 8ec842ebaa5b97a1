"""The report of `twin compare`: what each policy does to both sides in sentences, the two-sided
map, courses, forests, all numbers.

Everything is read from the folder: ``results.parquet``, ``course.parquet``, ``replicates.parquet``
and the manifest.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from twin.experiments import effects
from twin.experiments import page as reporting
from twin.experiments.compare import pictures, words
from twin.experiments.compare.data import DEFAULT, SIDE_OF, Data, axis_key
from twin.experiments.compare.pictures import Axis, Key
from twin.experiments.compare.rows import LAST, SIDES, name_of, read_biases
from twin.experiments.experiment import Experiment
from twin.experiments.forks import TREATMENTS, WINDOW
from twin.experiments.page import Cell, DataTable, Group, Picture, Report, Section, number
from twin.ground.units import DAY, at, format_duration
from twin.readers.text import human

SUREST = 10
"""Most series of a forest plot."""
WIDE = 8
"""Replicates from which on clouds are worth their ink."""


def write(experiment: Experiment, axes: Mapping[str, str]) -> None:
    """Write ``report.html``. ``axes``: what the map shows first, as written on a command line.
    Raises UsageError."""
    data = Data(experiment)
    chosen = {
        **DEFAULT,
        **{which: axis_key(data.scenario, which, text) for which, text in axes.items()},
    }
    sections = [
        _map(data, chosen),
        _over_time(data),
        _forests(data),
        _pairing(data),
        *_trial(data),
        _table(data),
    ]
    name = data.scenario.name
    one = data.branches[0] if len(data.branches) == 1 else f"{len(data.branches)} policies"
    used = {row.n for row in data.rows if row.reported}
    worlds = f"{data.n}" if used <= {data.n} else f"{min(used)} to {data.n}"
    page = Report(
        f"{name}: {one}",
        data.scenario.description,
        words.summary(data),
        sections,
        _methods(data),
        under=(
            f"{worlds} worlds were forked on {data.fork:%d %B %Y}, {format_duration(data.fork_s)} "
            f"after the start, and went on to "
            f"{at(data.start, data.scenario.duration):%d %B %Y} without and with each policy.",
        ),
        notices=reporting.failures(experiment),
        note=f"Means over the last {_window(data)} against the same worlds without the policy; in "
        f"brackets {effects.LEVEL:.0%} intervals. "
        "Coloured: better or worse for that side.",
    )
    reporting.write(experiment, page)


def _map(data: Data, chosen: Mapping[str, Key]) -> Section:
    axes: dict[str, list[Axis]] = {}
    for which, side in SIDE_OF.items():
        keys = list(
            dict.fromkeys(
                [
                    chosen[which],
                    *((row.metric, row.labels) for row in data.reported(data.branches[0], side)),
                ]
            )
        )
        shown = [key for key in keys if all(_placed(data, branch, key) for branch in data.branches)]
        axes[which] = [
            Axis(key, name_of(row), row.good)
            for key in shown
            for row in [data.of[data.branches[0], key]]
        ]
    lead = "Right and left: what happens to creators. Up and down: what happens to consumers."
    if not all(axes.values()):
        return Section(
            "map",
            "Both sides on one map",
            "No series of one of the sides has a value other than zero to measure an effect by.",
        )
    clouds = {
        (branch, axis.key): y - x
        for side in axes.values()
        for axis in side
        for branch in data.branches
        for y, x in [data.pairs[LAST][branch, axis.key]]
    }
    drawn = pictures.two_sided_map(data.branches, axes, data.of, clouds)
    wish = (
        []
        if all(axes[which][0].key == chosen[which] for which in axes)
        else [
            "The metric asked for is zero in the world as it is, or was not read in every branch; "
            "another is shown."
        ]
    )
    help_ = (
        f"Each policy is one large point with its {effects.LEVEL:.0%} interval along both axes; "
        f"small points are the {data.n} worlds, "
        "each compared with itself without the policy. The shaded quarter is better for both "
        "sides. A cross that covers a zero line "
        "is not told from zero along it."
    )
    return Section(
        "map",
        "Both sides on one map",
        lead,
        wish,
        [
            Group(
                [Picture("map", "What each policy does to both sides", drawn, help_)], width="whole"
            )
        ],
    )


def _placed(data: Data, branch: str, key: Key) -> bool:
    row = data.of.get((branch, key))
    return row is not None and bool(
        np.isfinite([row.percent(row.effect), row.percent(row.low)]).all()
    )


def _over_time(data: Data) -> Section:
    groups = []
    for side, heading in (("producer", "Creators"), ("consumer", "Consumers")):
        drawn, still = [], []
        for row in data.reported(data.branches[0], side):
            key = row.metric, row.labels
            courses = {branch: data.courses[branch, key] for branch in data.branches}
            if all(data.of[branch, key].untouched for branch in data.branches) and not any(
                np.nan_to_num(each.effect).any() for each in courses.values()
            ):
                still.append(name_of(row))
                continue
            since = {
                branch: at(data.start, second)
                for branch in data.branches
                if (second := data.of[branch, key].appears_s) is not None
            }
            picture = pictures.over_time(courses, data.colours, row.unit, data.fork, since)
            drawn.append(Picture(_id("time", key), name_of(row), picture, words.shows(data, key)))
        if drawn:
            groups.append(
                Group(
                    drawn, heading, quiet=f"Untouched by all: {', '.join(still)}." if still else ""
                )
            )
    return Section(
        "time",
        "When it shows",
        f"Effect of each policy week by week, with {effects.LEVEL:.0%} bands; the dashed line is "
        f"the "
        "fork. A ring marks the first week from which on the band keeps clear of zero to the end.",
        groups=groups,
    )


def _forests(data: Data) -> Section:
    groups = []
    for branch in data.branches:
        drawn, quiet = [], []
        for side, name in SIDES.items():
            sure = [
                row
                for row in data.rows
                if row.branch == branch
                and row.side == side
                and row.sure
                and "bin=" not in row.labels
            ]
            certain = [row for row in sure if not np.isfinite(row.size)]
            shown = sorted(
                (row for row in sure if np.isfinite(row.size)),
                key=lambda row: (row.p, -abs(row.size)),
            )[:SUREST]
            if shown:
                drawn.append(
                    Picture(
                        _id("forest", (branch, side), data.branches.index(branch)),
                        name,
                        pictures.forest(shown),
                        f"The {len(shown)} surest of {len(sure)} told from noise, histograms left "
                        f"out.",
                    )
                )
            elif not certain:
                quiet.append(f"{name}: nothing is told from noise.")
            if certain:
                quiet.append(
                    f"{name}, not drawn as worlds do not differ in it: "
                    + ", ".join(
                        f"{name_of(row)} {human(row.base)} to {human(row.value)}" for row in certain
                    )
                    + "."
                )
        groups.append(Group(drawn, branch, quiet=" ".join(quiet)))
    return Section(
        "forest",
        "What is surest",
        "Effects in standard deviations from run to run, with their intervals: green is better for "
        "that side, red worse, blue neither. One is as much as worlds usually differ by luck "
        "alone.",
        groups=groups,
    )


def _pairing(data: Data) -> Section:
    groups = []
    for place, branch in enumerate(data.branches):
        courses = {
            name_of(row): data.courses[branch, (row.metric, row.labels)]
            for row in data.headlines()
            if np.isfinite(data.courses[branch, (row.metric, row.labels)].narrower).any()
        }
        if courses:
            ratio, alike = (
                pictures.pairing(courses, what, data.fork, data.month)
                for what in ("narrower", "correlation")
            )
            groups.append(
                Group(
                    [
                        Picture(
                            f"narrower-{place}",
                            "How many times narrower the interval is",
                            ratio,
                            f"Than that of as many independent runs. The dotted line is three, the "
                            f"dashed one {words.moment(data)}. "
                            "Weeks equal to the last bit have no ratio.",
                        ),
                        Picture(
                            f"correlation-{place}",
                            "Correlation of the two branches",
                            alike,
                            "Over the worlds, week by week.",
                        ),
                    ],
                    branch,
                    "wide",
                )
            )
    return Section(
        "pairing",
        "What the pairing was worth",
        "Branches of a world share all luck that the policy does not touch. Chaos wins "
        "in the end: small differences grow until two branches are two worlds; the pictures show "
        "how soon.",
        [words.paid(data, branch) for branch in data.branches],
        groups,
    )


def _trial(data: Data) -> list[Section]:
    """An A/B test of each policy beside the truth, if there was one."""
    found = read_biases(data.experiment)
    if not found:
        return []
    columns = (
        ("Policy", False),
        ("Mean of each person's", False),
        ("Unit", False),
        *(
            (f"{name}{end}", True)
            for name in ("A/B estimate", "Truth", "Bias")
            for end in ("", ", low", ", high")
        ),
        ("n", True),
        ("Verdict", False),
    )
    rows = []
    for each in found:
        numbers = [
            number(getattr(each, f"{name}{end}"), shown=words.signed(getattr(each, f"{name}{end}")))
            for name in ("estimate", "truth", "bias")
            for end in ("", "_low", "_high")
        ]
        rows.append(
            [
                Cell(each.branch),
                Cell(each.quantity),
                Cell("" if each.unit == "1" else each.unit),
                *numbers,
                number(each.n, shown=str(each.n)),
                Cell("biased" if each.sure else "no bias told from noise"),
            ]
        )
    biased = sum(each.sure for each in found)
    lead = (
        f"The same policies given to {data.args['share']:.0%} of {data.args['of']} in one world, "
        f"as an experimenter would: treated "
        f"less control, against what forked worlds say that the policy does to everybody. {biased} "
        f"of {len(found)} quantities are "
        f"biased by interference beyond noise ({effects.LEVEL:.0%} intervals, each alone)."
    )
    return [
        Section("trial", "What an A/B test would have said", lead, table=DataTable(columns, rows))
    ]


def _table(data: Data) -> Section:
    columns = (
        ("Policy", False),
        ("Side", False),
        ("Series", False),
        ("Base", True),
        ("With", True),
        ("Effect", True),
        ("Low", True),
        ("High", True),
        ("%", True),
        ("Unit", False),
        ("Size (sd)", True),
        ("n", True),
        ("q", True),
        ("Verdict", False),
        ("Correlation", True),
        ("Runs saved", True),
        ("Shows from", False),
    )
    rows = []
    for row in sorted(
        data.rows,
        key=lambda row: (
            data.branches.index(row.branch),
            list(SIDES).index(row.side),
            not row.headline,
            row.q if row.q == row.q else 2,
        ),
    ):
        if row.n < 1:
            continue
        tone = reporting.TONES.get(row.verdict, "" if row.sure else "flat")
        verdict = "untouched" if row.untouched else row.verdict or "may be noise"
        effect = [
            number(value, shown=words.signed(value), tone=tone)
            for value in (row.effect, row.low, row.high)
        ]
        since = f"{at(data.start, row.appears_s):%Y-%m-%d}" if row.appears_s is not None else ""
        rows.append(
            [
                Cell(row.branch),
                Cell(SIDES[row.side]),
                Cell(name_of(row)),
                number(row.base),
                number(row.value),
                *effect,
                number(
                    row.percent(row.effect),
                    shown=reporting.percent(row.percent(row.effect)),
                    tone=tone,
                ),
                Cell("" if row.unit == "1" else row.unit),
                number(row.size, shown=words.sd(row.size)),
                number(row.n, shown=str(row.n)),
                number(row.q, shown="" if row.q != row.q else f"{row.q:.2g}"),
                Cell(verdict, tone=tone),
                number(
                    row.correlation,
                    shown="" if row.correlation != row.correlation else f"{row.correlation:.2f}",
                ),
                number(row.runs_saved, shown=words.saved(row)),
                Cell(since),
            ]
        )
    return Section(
        "table",
        "All series",
        f"Means over the last {_window(data)}. Click a heading to sort.",
        table=DataTable(columns, rows, "Only rows with these words, such as: creators income"),
    )


def _window(data: Data) -> str:
    return f"{min(WINDOW, data.scenario.duration - data.fork_s) / DAY:.3g} days"


def _id(kind: str, key: Key, place: int = 0) -> str:
    return (
        f"{kind}-{place}-"
        + "".join(c if c.isascii() and c.isalnum() else "-" for c in f"{key[0]}-{key[1]}")[-60:]
    )


def _methods(data: Data) -> list[tuple[str, str]]:
    scenario = data.scenario
    end = at(data.start, scenario.duration)
    rows: list[tuple[str, str]] = [
        (
            "Worlds",
            f"{data.n}: seed {scenario.seed}, replicates 0 to {data.n - 1}. Each ran to the fork "
            f"once, was saved, and went on "
            "without and with each policy; every draw of luck is keyed by person and purpose, so "
            "both branches draw the same.",
        ),
        (
            "Window",
            f"means over the last {_window(data)}, to {end:%d %B %Y}; what is counted is counted "
            f"per day. "
            "Courses are in weeks.",
        ),
        (
            "Interval",
            f"{effects.LEVEL:.0%}, of the mean difference of the pairs (t distribution, n − 1 "
            f"degrees of freedom), of each series "
            "alone.",
        ),
        (
            "Many series",
            "per policy, Benjamini and Hochberg's false discovery rate over all series that it "
            "touches: what has q below "
            f"{1 - effects.LEVEL:.2g} is called told from noise; up to one in "
            f"{round(1 / (1 - effects.LEVEL))} of those may be "
            "a false alarm.",
        ),
        ("Left out", f"{', '.join(TREATMENTS)}: says that a policy is there, not what it does."),
    ]
    for branch in data.branches:
        mine = [row for row in data.rows if row.branch == branch]
        tested = [row for row in mine if row.p == row.p]
        used, sure = sorted({row.n for row in tested}) or [0], sum(row.sure for row in mine)
        pairs = f"{used[0]} to {used[-1]}" if len(used) > 1 else f"{used[0]}"
        rows.append(
            (
                branch,
                f"{len(tested)} series tested on {pairs} pairs, {sure} told from noise, "
                f"{len(tested) - sure} not; "
                f"{sum(row.untouched for row in mine)} untouched to the last bit; "
                f"{sum(row.n < 2 for row in mine)} without "
                "enough readings.",
            )
        )
    rows += reporting.usual_methods(data.experiment)
    return rows
