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
from twin.experiments.compare import groups, pictures, tables, words
from twin.experiments.compare.data import DEFAULT, SIDE_OF, Data, axis_key
from twin.experiments.compare.map import Axis, two_sided_map
from twin.experiments.compare.rows import LAST, Row, name_of
from twin.experiments.experiment import Experiment
from twin.experiments.forks import TREATMENTS
from twin.experiments.page import Group, Picture, Report, Section
from twin.experiments.words import SIDES, WHO, Key
from twin.ground.units import at, format_duration, in_percent
from twin.readers.text import human

SUREST = 10
"""Most series of a forest plot."""
MAP = "Both sides on one map"


def write(experiment: Experiment, axes: Mapping[str, str]) -> None:
    """Write ``report.html``. ``axes``: what the map shows first, as written on a command line.
    Raises UsageError."""
    data = Data(experiment)
    chosen = {
        **DEFAULT,
        **{which: axis_key(data.scenario, which, text) for which, text in axes.items()},
    }
    one = data.branches[0] if len(data.branches) == 1 else f"{len(data.branches)} policies"
    used = {row.n for row in data.rows if row.reported}
    # worlds that failed in some branch count in some rows only
    worlds = f"{data.n}" if used <= {data.n} else f"{min(used)} to {data.n}"
    end = at(data.start, data.scenario.duration)
    page = Report(
        title=f"{data.scenario.name}: {one}",
        lead=data.experiment.about,
        summary=words.summary(data),
        sections=[
            _map(data, chosen),
            *groups.section(data),
            _over_time(data),
            _forests(data),
            _pairing(data),
            *tables.trial(data),
            tables.series(data),
        ],
        methods=_methods(data),
        under=(
            f"{worlds} worlds were forked on {data.fork:%d %B %Y}, {format_duration(data.fork_s)} "
            f"after the start, and continued to {end:%d %B %Y} without and with each policy.",
        ),
        notices=reporting.failures(experiment),
        note=f"Means over the last {words.window(data)} against the same worlds without the "
        f"policy; in brackets {in_percent(effects.LEVEL)} intervals. Coloured: better or worse for that "
        f"side.",
    )
    reporting.write(experiment, page)


def _map(data: Data, chosen: Mapping[str, Key]) -> Section:
    axes = {which: _axes(data, side, chosen[which]) for which, side in SIDE_OF.items()}
    if not all(axes.values()):
        return Section(
            "map",
            MAP,
            "No series of one of the sides has a value other than zero to measure an effect by.",
        )
    pairs = data.pairs[LAST]
    clouds = {
        (branch, axis.key): pairs[branch, axis.key].value - pairs[branch, axis.key].base
        for side in axes.values()
        for axis in side
        for branch in data.branches
    }
    drawn = two_sided_map(data.branches, axes, data.of, clouds)
    # what was asked for has no place if it has no percent in some branch
    other = any(axes[which][0].key != chosen[which] for which in axes)
    wish = (
        "The metric asked for is zero in the world as it is, or was not read in every branch; "
        "another is shown."
    )
    help_ = (
        f"Each policy is one large point with its {in_percent(effects.LEVEL)} interval along both axes; "
        f"small points are the {data.n} worlds, each compared with itself without the policy. The "
        "shaded quarter is better for both sides. A cross that covers a zero line may be zero "
        "along it; one that clears it is suggestive, and established only where the summary says "
        "so, since many series were looked at."
    )
    picture = Picture("map", "What each policy does to both sides", drawn, help_)
    return Section(
        "map",
        MAP,
        "Right and left: what happens to creators. Up and down: what happens to consumers.",
        [wish] if other else [],
        [Group([picture], width="whole")],
    )


def _axes(data: Data, side: str, first: Key) -> list[Axis]:
    """Series of a side that every branch has a place for, the chosen one first."""
    # once, though what was chosen is mostly among what is reported
    keys = dict.fromkeys([first, *(row.key for row in data.reported(data.branches[0], side))])
    shown = [key for key in keys if all(_placed(data, branch, key) for branch in data.branches)]
    rows = [data.of[data.branches[0], key] for key in shown]
    return [Axis(row.key, name_of(row), row.good) for row in rows]


def _placed(data: Data, branch: str, key: Key) -> bool:
    row = data.of.get((branch, key))
    return row is not None and bool(
        np.isfinite([row.percent(row.effect), row.percent(row.low)]).all()
    )


def _over_time(data: Data) -> Section:
    groups = []
    for side in WHO:
        drawn, still = [], []
        for row in data.reported(data.branches[0], side):
            courses = {branch: data.courses[branch, row.key] for branch in data.branches}
            # untouched at the end and in every week before: nothing to draw
            if all(data.of[branch, row.key].untouched for branch in data.branches) and not any(
                np.nan_to_num(each.effect).any() for each in courses.values()
            ):
                still.append(name_of(row))
                continue
            since = {
                branch: at(data.start, second)
                for branch in data.branches
                if (second := data.of[branch, row.key].appears_s) is not None
            }
            picture = pictures.over_time(courses, data.colours, row.unit, data.fork, since)
            shows = words.shows(data, row.key)
            drawn.append(Picture(_id("time", row.key), name_of(row), picture, shows))
        if drawn:
            quiet = f"Untouched by all: {', '.join(still)}." if still else ""
            groups.append(Group(drawn, SIDES[side], quiet=quiet))
    return Section(
        "time",
        "When it shows",
        f"Effect of each policy week by week, with {in_percent(effects.LEVEL)} bands; the dashed line is "
        "the fork. A ring marks the first week from which on the band keeps clear of zero to the "
        "end.",
        groups=groups,
    )


def _forests(data: Data) -> Section:
    groups = []
    for place, branch in enumerate(data.branches):
        drawn, quiet = [], []
        for side in SIDES:
            picture, line = _forest(data, place, branch, side)
            drawn += picture
            quiet += line
        groups.append(Group(drawn, branch, quiet=" ".join(quiet)))
    return Section(
        "forest",
        "What is surest",
        "Effects in standard deviations from run to run, with their intervals: green is better for "
        "that side, red worse, blue neither. One is as much as worlds usually differ by luck "
        "alone.",
        groups=groups,
    )


def _forest(data: Data, place: int, branch: str, side: str) -> tuple[list[Picture], list[str]]:
    """The surest effects of a branch on a side: at most one picture, and lines on what is not in
    it."""
    sure = [
        row
        for row in data.rows
        # the bins of one histogram would take most places
        if row.branch == branch and row.side == side and row.sure and "bin=" not in row.labels
    ]
    # where worlds do not differ, an effect is infinitely many standard deviations
    certain = [row for row in sure if not np.isfinite(row.size)]
    known = [row for row in sure if np.isfinite(row.size)]
    shown = sorted(known, key=lambda row: (row.p, -abs(row.size)))[:SUREST]
    drawn, quiet = [], []
    if shown:
        help_ = f"The {len(shown)} surest of {len(sure)} established, without histograms."
        key = _id("forest", (branch, side), place)
        drawn.append(Picture(key, SIDES[side], pictures.forest(shown), help_))
    # an effect that cannot be drawn is distinguishable all the same
    elif not certain:
        quiet.append(f"{SIDES[side]}: nothing is established.")
    if certain:
        listed = ", ".join(_change(row) for row in certain)
        quiet.append(f"{SIDES[side]}, not drawn as worlds do not differ in it: {listed}.")
    return drawn, quiet


def _change(row: Row) -> str:
    return f"{name_of(row)} {human(row.base)} to {human(row.value)}"


def _pairing(data: Data) -> Section:
    groups = []
    for place, branch in enumerate(data.branches):
        every = {name_of(row): data.courses[branch, row.key] for row in data.headlines()}
        courses = {
            name: course for name, course in every.items() if np.isfinite(course.narrower).any()
        }
        if courses:
            ratio = Picture(
                f"narrower-{place}",
                "How many times narrower the interval is",
                pictures.narrower(courses, data.fork, data.month),
                f"Than that of as many independent runs. The dotted line is three, the dashed one "
                f"{words.moment(data)}. Weeks equal to the last bit have no ratio.",
            )
            alike = Picture(
                f"correlation-{place}",
                "Correlation of the two branches",
                pictures.correlation(courses, data.fork, data.month),
                "Over the worlds, week by week.",
            )
            groups.append(Group([ratio, alike], branch, "wide"))
    return Section(
        "pairing",
        "What the pairing was worth",
        "Branches of a world share all luck that the policy does not touch. Chaos wins "
        "in the end: small differences grow until two branches are two worlds; the pictures show "
        "how soon.",
        [words.paid(data, branch) for branch in data.branches],
        groups,
    )


def _id(kind: str, key: Key, place: int = 0) -> str:
    """An id for HTML: letters, digits and ``-``."""
    text = "".join(c if c.isascii() and c.isalnum() else "-" for c in f"{key[0]}-{key[1]}")
    return f"{kind}-{place}-{text[-60:]}"


def _methods(data: Data) -> list[tuple[str, str]]:
    scenario = data.scenario
    end = at(data.start, scenario.duration)
    return [
        (
            "Worlds",
            f"{data.n}: seed {scenario.seed}, replicates 0 to {data.n - 1}. Each ran to the fork "
            f"once, was saved, and continued without and with each policy; every draw of luck is "
            f"keyed by person and purpose, so both branches draw the same.",
        ),
        (
            "Window",
            f"means over the last {words.window(data)}, to {end:%d %B %Y}; what is counted is "
            f"counted per day. Courses are in weeks.",
        ),
        (
            "Interval",
            f"{in_percent(effects.LEVEL)}, of the mean difference of the pairs (t distribution, n − 1 "
            f"degrees of freedom), of each series alone.",
        ),
        (
            "Many series",
            "per policy, Benjamini and Hochberg's false discovery rate over all series that it "
            f"touches: what has q below {1 - effects.LEVEL:.2g} is called established; up to one "
            f"in {round(1 / (1 - effects.LEVEL))} of those may be a false alarm. What has not, and "
            "whose own interval clears zero, is called suggestive; the rest is not "
            "distinguishable from noise.",
        ),
        (
            "Smallest effect shown",
            f"what as many worlds would show with a chance of {in_percent(effects.POWER)}, from the spread "
            "of the pairs; of a suggestive effect, how many more worlds would establish one of its "
            "size as safely as if all series were tested (Bonferroni).",
        ),
        ("Left out", f"{', '.join(TREATMENTS)}: says that a policy is there, not what it does."),
        *((branch, _tests(data, branch)) for branch in data.branches),
        *reporting.usual_methods(data.experiment),
    ]


def _tests(data: Data, branch: str) -> str:
    """How many series of a branch were tested, and what came of it."""
    mine = [row for row in data.rows if row.branch == branch]
    tested = [row for row in mine if row.p == row.p]
    used, sure = sorted({row.n for row in tested}) or [0], sum(row.sure for row in mine)
    hints = sum(row.standing == effects.SUGGESTIVE for row in tested)
    pairs = f"{used[0]} to {used[-1]}" if len(used) > 1 else f"{used[0]}"
    return (
        f"{len(tested)} series tested on {pairs} pairs, {sure} established, "
        f"{hints} suggestive, {len(tested) - sure - hints} not distinguishable from "
        f"noise; {sum(row.untouched for row in mine)} untouched to the last bit; {sum(row.n < 2 for row in mine)} without enough readings."
    )
