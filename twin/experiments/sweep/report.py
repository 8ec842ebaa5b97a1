"""The report of `twin sweep`: how each side's headline outcomes answer to each parameter, and which
answers are distinguishable from noise.

Everything is read from the folder: ``results.parquet``, ``ranks.parquet`` and the manifest.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from twin.experiments import design, effects
from twin.experiments import page as reporting
from twin.experiments.experiment import Experiment
from twin.experiments.page import (
    TONES,
    Cell,
    Column,
    Group,
    Picture,
    Report,
    Section,
    listed,
    number,
    tabulated,
)
from twin.experiments.sweep import pictures, words
from twin.experiments.sweep.levels import Level, by_level
from twin.experiments.sweep.points import LEAST, Swept, planned, window
from twin.experiments.sweep.words import Rank, Ranks, shown, sure
from twin.experiments.words import SIDES, Key, daily_unit, hundredths, series_name, signed
from twin.ground.units import DAY, in_percent

MANY = 60
"""Most pictures of responses, beyond which only what is distinguishable from noise is drawn."""


def write(experiment: Experiment) -> None:
    """Write ``report.html``."""
    swept = read(experiment)
    found = experiment.store.read_table("ranks.parquet").to_pylist()
    ranks = {(row["parameter"], (row["metric"], row["labels"])): row for row in found}
    scenario, args = experiment.scenario, experiment.manifest["args"]
    begin, end = window(scenario)
    n, replicates = len(swept.points), swept.values.shape[1]
    page = Report(
        title=f"{scenario.name}: sweep of {listed(each.path for each in swept.varied)}",
        lead=experiment.about,
        summary=words.summary(swept, ranks),
        sections=[
            *_levels(swept),
            _responses(swept, ranks),
            *_heat(swept, args),
            _ranks(found),
            _points(swept),
        ],
        methods=_methods(experiment, swept),
        notices=reporting.failures(experiment),
        under=(
            f"{n} points, {replicates} {'world' if replicates == 1 else 'worlds'} each: "
            f"{n * replicates} runs.",
        ),
        note=f"Values are means over the last {(end - begin) / DAY:.3g} days (of the scenario as "
        f"it is; at most the second half of a run). Rank correlations are over points.",
    )
    reporting.write(experiment, page)


def read(experiment: Experiment) -> Swept:
    """What `sweep` left in ``results.parquet``."""
    varied, points, scenarios = planned(experiment.scenario, experiment.manifest["args"])
    # of all points, as a parameter may decide which mechanisms there are
    declared = {
        metric.name: metric
        for scenario in scenarios
        for name in scenario.mechanisms
        for metric in scenario.registry[name].metrics
    }
    table = experiment.store.read_table("results.parquet")
    replicates = int(experiment.manifest["args"]["replicates"])
    # rows are in the order point, replicate, series: the first so many name the series
    many = len(table) // (len(points) * replicates)
    keys: list[Key] = list(
        zip(*(table[name].slice(0, many).to_pylist() for name in ("metric", "labels")), strict=True)
    )
    return Swept(
        varied,
        points,
        {key: declared[key[0]] for key in keys},
        table["value"].to_numpy().reshape(len(points), replicates, many),
    )


def _responses(swept: Swept, ranks: Ranks) -> Section:
    few = len(shown(swept)) * len(swept.varied) <= MANY
    groups = []
    for place, each in enumerate(swept.varied):
        drawn, quiet = [], []
        for i, key in shown(swept):
            row = ranks.get((each.path, key))
            if few or sure(row):
                drawn.append(_response(swept, place, i, row))
            else:
                quiet.append(series_name(*key))
        line = f"Not drawn, as they are not established: {', '.join(quiet)}."
        groups.append(Group(drawn, each.path, quiet=line if quiet else ""))
    return Section(
        "responses",
        "How outcomes answer",
        "Small points are runs. The line joins means per level, or per tenth of the points where "
        "the parameter runs over a range; whiskers reach one standard deviation to either side.",
        groups=groups,
    )


def _response(swept: Swept, place: int, i: int, row: Rank | None) -> Picture:
    """The picture of one outcome over one parameter, each by its place."""
    key, metric = list(swept.series.items())[i]
    help_ = ""
    if row is not None:
        standing = effects.standing_of_test(row["q"], row["p"])
        doubt = "" if standing == effects.ESTABLISHED else f": {standing}"
        help_ = f"rank correlation {hundredths(row['correlation'])}, q {row['q']:.2g}{doubt}"
    drawn = pictures.response(
        swept.varied[place],
        [point[place] for point in swept.points],
        swept.values[:, :, i],
        daily_unit(metric),
    )
    return Picture(f"r-{place}-{i}", f"{SIDES[metric.side]}: {series_name(*key)}", drawn, help_)


def _levels(swept: Swept) -> list[Section]:
    """A table by level of parameters that have few."""
    keys = {key for _, key in shown(swept)}
    rows = [row for row in by_level(swept) if row.key in keys]
    if not rows:
        return []

    def tone(row: Level) -> str:
        good = {"up": 1, "down": -1}.get(swept.series[row.key].good, 0) * row.effect
        if row.standing != effects.ESTABLISHED:
            return "flat"
        return ("good" if good > 0 else "bad") if good else ""

    def plain(name: str) -> Callable[[Level], Cell]:
        return lambda row: number(float(getattr(row, name)))

    def less(name: str) -> Callable[[Level], Cell]:
        def cell(row: Level) -> Cell:
            value = float(getattr(row, name))
            return number(value, shown=signed(value) if np.isfinite(value) else "", tone=tone(row))

        return cell

    columns: list[Column[Level]] = [
        Column("Parameter", lambda row: Cell(row.parameter), numeric=False),
        Column("Side", lambda row: Cell(SIDES[swept.series[row.key].side]), numeric=False),
        Column("Outcome", lambda row: Cell(series_name(*row.key)), numeric=False),
        Column("Level", lambda row: Cell(row.level), numeric=False),
        Column("Runs", lambda row: number(row.n, shown=str(row.n))),
        Column("Mean", plain("mean")),
        Column("Low", plain("mean_low")),
        Column("High", plain("mean_high")),
        Column("Less the first", less("effect")),
        Column("Low", less("low")),
        Column("High", less("high")),
        Column("Verdict", lambda row: Cell(row.standing, tone=tone(row)), numeric=False),
    ]
    lead = (
        f"Means of runs with their {in_percent(effects.LEVEL)} interval, and the difference from the first "
        "level, by pairs of runs that share their luck and all other parameters."
    )
    return [Section("levels", "By level", lead, table=tabulated(columns, rows))]


def _heat(swept: Swept, args: Mapping[str, Any]) -> list[Section]:
    if args["method"] != "grid" or len(swept.varied) != 2:
        return []
    drawn = [
        Picture(
            f"h-{i}",
            f"{SIDES[swept.series[key].side]}: {series_name(*key)}",
            pictures.heat(swept.varied, swept.points, swept.means()[:, i]),
        )
        for i, key in shown(swept)
    ]
    return [
        Section(
            "grid",
            "Both parameters together",
            "Means of each point; darker is more. The numbers are in the cells.",
            groups=[Group(drawn, width="wide")],
        )
    ]


def _ranks(found: Sequence[Rank]) -> Section:
    def tone(row: Rank) -> str:
        verdict = words.verdict(row)
        return TONES.get(verdict, "" if verdict else "flat")

    def correlation(row: Rank) -> Cell:
        value = row["correlation"]
        return number(value, shown=hundredths(value), tone=tone(row))

    def verdict(row: Rank) -> Cell:
        return Cell(words.verdict(row) or "may be noise", tone=tone(row))

    columns: list[Column[Rank]] = [
        Column("Parameter", lambda row: Cell(row["parameter"]), numeric=False),
        Column("Side", lambda row: Cell(SIDES[row["side"]]), numeric=False),
        Column("Outcome", lambda row: Cell(words.name(row)), numeric=False),
        Column("Rank correlation", correlation),
        Column("p", lambda row: number(row["p"], shown=f"{row['p']:.2g}")),
        Column("q", lambda row: number(row["q"], shown=f"{row['q']:.2g}")),
        Column("Points", lambda row: number(row["n"], shown=str(row["n"]))),
        Column("Verdict", verdict, numeric=False),
    ]
    order = ("parameter", "metric", "labels")
    rows = sorted(
        found, key=lambda row: (row["q"], -abs(row["correlation"]), *(row[name] for name in order))
    )
    lead = (
        "All outcomes, surest first; the verdict states what more of the parameter goes with."
        if rows
        else f"None was made: it takes {LEAST} points and numbers that vary."
    )
    table = tabulated(columns, rows) if rows else None
    return Section("ranks", "Rank correlations", lead, table=table)


def _points(swept: Swept) -> Section:
    means = swept.means()

    def parameter(place: int) -> Callable[[int], Cell]:
        def cell(point: int) -> Cell:
            text = swept.points[point][place]
            value = design.quantity(text)
            # sorted by the number, shown as it was set
            return number(value, shown=text) if np.isfinite(value) else Cell(text)

        return cell

    def outcome(i: int) -> Callable[[int], Cell]:
        return lambda point: number(float(means[point, i]))

    columns: list[Column[int]] = [
        Column("Point", lambda point: number(point, shown=str(point))),
        *(Column(each.path, parameter(place)) for place, each in enumerate(swept.varied)),
        *(Column(series_name(*key), outcome(i)) for i, key in shown(swept)),
    ]
    return Section(
        "points",
        "All points",
        "Means of headline outcomes; everything else is in results.parquet.",
        table=tabulated(columns, range(len(swept.points))),
    )


def _methods(experiment: Experiment, swept: Swept) -> list[tuple[str, str]]:
    args, seed = experiment.manifest["args"], experiment.scenario.seed
    n, replicates, _ = swept.values.shape
    how = {
        "grid": f"Every combination of the levels: {n} points.",
        "lhs": f"A Latin hypercube of {n} points (McKay et al. 1979), drawn by seed {seed}.",
        "sobol": f"A scrambled Sobol sequence of {n} points"
        + (
            ""
            if n == args["points"]
            else f" (asked: {args['points']}; a Sobol sequence comes in powers of two)"
        )
        + f", drawn by seed {seed}.",
    }[args["method"]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        whole = int(np.isfinite(swept.values).any(2).sum())
    return [
        ("Points", how),
        (
            "Worlds",
            f"Replicates 0 to {replicates - 1} of seed {seed}, the same luck at every point; "
            f"{whole} of {n * replicates} runs have values.",
        ),
        (
            "Noise",
            "Spearman's rank correlation over points (p by Student's t), corrected over all rows "
            "of the table by Benjamini and Hochberg: what has q < "
            f"{1 - effects.LEVEL:.2g} is distinguishable from noise. It sees what rises or falls "
            f"throughout, not a hump: look at the pictures.",
        ),
        *reporting.usual_methods(experiment),
    ]
