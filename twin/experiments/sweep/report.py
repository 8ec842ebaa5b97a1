"""The report of `twin sweep`: how each side's headline outcomes answer to each parameter, and which
answers are told from noise.

Everything is read from the folder: ``results.parquet``, ``ranks.parquet`` and the manifest.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from twin.experiments import design, effects
from twin.experiments import page as reporting
from twin.experiments.audit.report import outcome, signed
from twin.experiments.compare.rows import EXTRA, SIDES
from twin.experiments.experiment import Experiment
from twin.experiments.page import (
    Cell,
    DataTable,
    Group,
    Picture,
    Report,
    Section,
    Summary,
    Words,
    listed,
    number,
)
from twin.experiments.sweep import pictures
from twin.experiments.sweep.points import LEAST, Key, Swept, planned, window
from twin.ground.units import DAY
from twin.readers.text import human

REPORTED, MANY = 5, 60
"""Most outcomes per parameter in the summary; most pictures of responses, beyond which only what is
told from noise is drawn."""


def write(experiment: Experiment) -> None:
    """Write ``report.html``."""
    swept = read(experiment)
    found = experiment.store.read_table("ranks.parquet").to_pylist()
    ranks = {(row["parameter"], (row["metric"], row["labels"])): row for row in found}
    scenario, args = experiment.scenario, experiment.manifest["args"]
    begin, end = window(scenario)
    n, replicates = len(swept.points), swept.values.shape[1]
    sections = [_responses(swept, ranks), *_heat(swept, args), _table(found), _points(swept)]
    page = Report(
        f"{scenario.name}: sweep of {listed(each.path for each in swept.varied)}",
        scenario.description,
        summary(swept, ranks),
        sections,
        _methods(experiment, swept),
        notices=reporting.failures(experiment),
        under=(
            f"{n} points, {replicates} {'world' if replicates == 1 else 'worlds'} each: "
            f"{n * replicates} runs.",
        ),
        note=f"Values are means over the last {(end - begin) / DAY:.3g} days (of the scenario as "
        f"it is; at most the second half of a run). "
        "Rank correlations are over points.",
    )
    reporting.write(experiment, page)


def read(experiment: Experiment) -> Swept:
    """What `sweep` left in ``results.parquet``."""
    varied, points, scenarios = planned(experiment.scenario, experiment.manifest["args"])
    declared = {
        metric.name: metric
        for scenario in scenarios
        for name in scenario.mechanisms
        for metric in scenario.registry[name].metrics
    }
    table = experiment.store.read_table("results.parquet")
    replicates = int(experiment.manifest["args"]["replicates"])
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


def shown(swept: Swept) -> list[tuple[int, Key]]:
    """Headline outcomes, and what creators live on, with any value: both sides first."""
    told = [
        (i, key)
        for i, (key, metric) in enumerate(swept.series.items())
        if (metric.headline or key in EXTRA) and np.isfinite(swept.values[:, :, i]).any()
    ]
    order = list(SIDES)
    return sorted(told, key=lambda each: order.index(swept.series[each[1]].side))


def _sure(row: Mapping[str, Any] | None) -> bool:
    return row is not None and row["q"] < 1 - effects.LEVEL


def summary(swept: Swept, ranks: Mapping[tuple[str, Key], Mapping[str, Any]]) -> list[Summary]:
    """What is said on top."""
    said = []
    means = swept.means()
    for place, each in enumerate(swept.varied):
        numbers = swept.numbers(place)
        mine = [ranks[each.path, key] for _, key in shown(swept) if (each.path, key) in ranks]
        sure = sorted(
            (row for row in mine if _sure(row)),
            key=lambda row: (-abs(row["correlation"]), row["metric"], row["labels"]),
        )
        items: list[Words] = []
        for row in sure[:REPORTED]:
            i = list(swept.series).index((row["metric"], row["labels"]))
            low, high = (
                float(np.nanmean(means[numbers == end(numbers), i]))
                for end in (np.nanmin, np.nanmax)
            )
            good = {"up": 1, "down": -1}.get(row["good"], 0) * row["correlation"]
            tone = "good" if good > 0 else "bad" if good < 0 else ""
            items.append(
                [
                    (f"{outcome(row['metric'], row['labels'])} ", ""),
                    ("rises" if row["correlation"] > 0 else "falls", tone),
                    (
                        f" with it: {human(low)} at its lowest point, {human(high)} at its highest "
                        f"(rank correlation "
                        f"{signed(row['correlation'])}, q {row['q']:.2g}).",
                        "",
                    ),
                ]
            )
        if len(sure) > REPORTED:
            items.append(
                [
                    (
                        f"So, less strongly, do "
                        f"{listed(outcome(row['metric'], row['labels']) for row in sure[REPORTED:])}.",
                        "",
                    )
                ]
            )
        unsure = [outcome(row["metric"], row["labels"]) for row in mine if not _sure(row)]
        if unsure:
            items.append([(f"Not told from noise: {listed(unsure)}.", "flat")])
        if not mine:
            why = (
                "its values are no numbers"
                if not np.isfinite(numbers).any()
                else f"fewer than {LEAST} points are known, or nothing varies"
            )
            items.append([(f"No rank correlation was made: {why}. See the pictures.", "flat")])
        values = list(dict.fromkeys(point[place] for point in swept.points))
        said.append(
            Summary(
                each.path,
                items,
                what=f"Tried: {', '.join(values)}"
                if len(values) <= 8
                else f"Tried: {len(values)} values from {each.at(0.0)} to {each.at(1.0)}"
                if not each.levels
                else f"Tried: {len(values)} levels from {values[0]} to {values[-1]}",
            )
        )
    return said


def _responses(swept: Swept, ranks: Mapping[tuple[str, Key], Mapping[str, Any]]) -> Section:
    told = shown(swept)
    few = len(told) * len(swept.varied) <= MANY
    groups = []
    for place, each in enumerate(swept.varied):
        drawn, quiet = [], []
        for i, key in told:
            row = ranks.get((each.path, key))
            name = outcome(*key)
            if not few and not _sure(row):
                quiet.append(name)
                continue
            metric = swept.series[key]
            help_ = (
                ""
                if row is None
                else f"rank correlation {signed(row['correlation'])}, q {row['q']:.2g}"
                + ("" if _sure(row) else ": not told from noise")
            )
            picture = pictures.response(
                each,
                [point[place] for point in swept.points],
                swept.values[:, :, i],
                f"{metric.unit}/d" if metric.kind == "counter" else metric.unit,
            )
            drawn.append(Picture(f"r-{place}-{i}", f"{SIDES[metric.side]}: {name}", picture, help_))
        groups.append(
            Group(
                drawn,
                each.path,
                quiet=f"Not drawn, as they are not told from noise: {', '.join(quiet)}."
                if quiet
                else "",
            )
        )
    return Section(
        "responses",
        "How outcomes answer",
        "Small points are runs. The line joins means per level, or per tenth of the points where "
        "the parameter runs over a range; whiskers reach one standard deviation to either side.",
        groups=groups,
    )


def _heat(swept: Swept, args: Mapping[str, Any]) -> list[Section]:
    if args["method"] != "grid" or len(swept.varied) != 2:
        return []
    drawn = [
        Picture(
            f"h-{i}",
            f"{SIDES[swept.series[key].side]}: {outcome(*key)}",
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


def _table(found: Sequence[Mapping[str, Any]]) -> Section:
    columns = (
        ("Parameter", False),
        ("Side", False),
        ("Outcome", False),
        ("Rank correlation", True),
        ("p", True),
        ("q", True),
        ("Points", True),
        ("Verdict", False),
    )
    rows = []
    for row in sorted(
        found,
        key=lambda row: (
            row["q"],
            -abs(row["correlation"]),
            row["parameter"],
            row["metric"],
            row["labels"],
        ),
    ):
        good = {"up": 1, "down": -1}.get(row["good"], 0) * row["correlation"]
        verdict = (
            (
                "better"
                if good > 0
                else "worse"
                if good < 0
                else "more"
                if row["correlation"] > 0
                else "less"
            )
            if _sure(row)
            else ""
        )
        tone = reporting.TONES.get(verdict, "" if verdict else "flat")
        rows.append(
            [
                Cell(row["parameter"]),
                Cell(SIDES[row["side"]]),
                Cell(outcome(row["metric"], row["labels"])),
                number(row["correlation"], shown=signed(row["correlation"]), tone=tone),
                number(row["p"], shown=f"{row['p']:.2g}"),
                number(row["q"], shown=f"{row['q']:.2g}"),
                number(row["n"], shown=str(row["n"])),
                Cell(verdict or "may be noise", tone=tone),
            ]
        )
    lead = (
        "All outcomes, surest first; the verdict says what more of the parameter goes with."
        if rows
        else (f"None was made: it takes {LEAST} points and numbers that vary.")
    )
    return Section(
        "ranks", "Rank correlations", lead, table=DataTable(columns, rows) if rows else None
    )


def _points(swept: Swept) -> Section:
    told = shown(swept)
    columns = (
        ("Point", True),
        *((each.path, True) for each in swept.varied),
        *((outcome(*key), True) for _, key in told),
    )
    means = swept.means()
    rows = [
        [
            number(place, shown=str(place)),
            *(
                number(design.quantity(text), shown=text)
                if np.isfinite(design.quantity(text))
                else Cell(text)
                for text in point
            ),
            *(number(float(means[place, i])) for i, _ in told),
        ]
        for place, point in enumerate(swept.points)
    ]
    return Section(
        "points",
        "All points",
        "Means of headline outcomes; everything else is in results.parquet.",
        table=DataTable(columns, rows),
    )


def _methods(experiment: Experiment, swept: Swept) -> list[tuple[str, str]]:
    args, seed = experiment.manifest["args"], experiment.scenario.seed
    n, replicates, _ = swept.values.shape
    how = {
        "grid": f"Every combination of the levels: {n} points.",
        "lhs": f"A Latin hypercube of {n} points (McKay et al. 1979), drawn by seed {seed}.",
        "sobol": f"A scrambled Sobol sequence of {n} points"
        + ("" if n == args["points"] else f" (asked: {args['points']}; it comes in powers of two)")
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
            "Told from noise",
            "Spearman's rank correlation over points (p by Student's t), corrected over all rows "
            "of the table by Benjamini and "
            f"Hochberg: q < {1 - effects.LEVEL:.2g}. It sees what rises or falls throughout, not a "
            f"hump: look at the pictures.",
        ),
        *reporting.usual_methods(experiment),
    ]
