"""The report of `twin audit --method morris` or ``sobol``: which levers move which side's score,
against a parameter that does nothing.

Everything is read from the folder: ``results.parquet`` and the manifest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from twin.experiments import effects
from twin.experiments import page as reporting
from twin.experiments.audit.engineering import OUTCOMES
from twin.experiments.audit.indices import COLUMNS, INDEX
from twin.experiments.audit.levers import LEVELS, LUCK, SPAN
from twin.experiments.audit.maps import Rows, index_map
from twin.experiments.audit.sensitivity import BLOCKS
from twin.experiments.audit.sensitivity_words import SHOWN, summary, way
from twin.experiments.experiment import Experiment
from twin.experiments.page import (
    Cell,
    Column,
    Group,
    Picture,
    Report,
    Section,
    left_out,
    number,
    tabulated,
)
from twin.experiments.words import WHO, hundredths
from twin.ground.units import at, format_duration, in_percent

NAMES = {"morris": "Morris' elementary effects", "sobol": "Sobol's indices"}
SIGNED = ("mu", "mu_low", "mu_high", "trend", "trend_low", "trend_high")
"""Indices that have a direction."""
MAP = "Both sides on one map"


def write(experiment: Experiment) -> None:
    """Write ``report.html``."""
    scenario, manifest = experiment.scenario, experiment.manifest
    args, method = manifest["args"], str(manifest["args"]["method"])
    rows: dict[str, dict[str, dict[str, Any]]] = {}
    for row in experiment.store.read_table("results.parquet").to_pylist():
        # levers come in the order of the first side, strongest first
        rows.setdefault(row["lever"], {})[row["side"]] = row
    page = Report(
        title=f"{scenario.name}: audit of {len(rows) - 1} levers by {NAMES[method]}",
        lead=experiment.about,
        summary=summary(rows, method, manifest),
        sections=[
            _map(rows, method),
            _levers(rows, method),
            left_out("Settings left out", "Setting", manifest.get("left", [])),
        ],
        methods=_methods(experiment, method, rows),
        under=(
            f"{args['replicates']} worlds were forked on "
            f"{at(scenario.start, int(args['at_s'])):%d %B %Y}, "
            f"{format_duration(int(args['at_s']))} after the start; {manifest.get('runs', 0)} "
            f"runs.",
        ),
        notices=reporting.failures(experiment),
        note=f"Every lever runs from its value / {SPAN:g} to x {SPAN:g} within its bounds; scores "
        f"are in standard deviations (sd) from world to world, more is better for that side. In "
        f"brackets {in_percent(effects.LEVEL)} intervals.",
    )
    reporting.write(experiment, page)


def _map(rows: Rows, method: str) -> Section:
    index = INDEX[method]
    known = {
        lever: row
        for lever, row in rows.items()
        if all(np.isfinite(row[side][index]) for side in OUTCOMES)
    }
    # everything on the map is judged against luck
    if LUCK not in known:
        lead = "There is nothing to draw: too few runs are left, or a score never varies."
        return Section("map", MAP, lead)
    help_ = (
        "Far right: moves creators; far up: moves consumers. Grey bands reach to the end of luck's "
        "interval. Violet: distinguishable from luck on both sides; pink: on creators only; green: "
        "on consumers only; grey: on neither; black: luck. Only what is distinguishable is named."
    )
    drawn = index_map(known, index, LUCK)
    picture = Picture("map", "How strongly each lever moves both sides", drawn, help_)
    return Section("map", MAP, groups=[Group([picture], width="whole")])


def _levers(rows: Rows, method: str) -> Section:
    def verdict(row: Mapping[str, Any]) -> Cell:
        named = "yes" if row["distinguishable"] else "no"
        return Cell("" if row["lever"] == LUCK else named)

    def direction(row: Mapping[str, Any]) -> Cell:
        return Cell("" if row["lever"] == LUCK else way(row, method))

    columns: list[Column[Mapping[str, Any]]] = [
        Column("Lever", lambda row: Cell(row["lever"]), numeric=False),
        Column("Now", lambda row: Cell(row["now"]), numeric=False),
        Column("Low end", lambda row: Cell(row["low"]), numeric=False),
        Column("High end", lambda row: Cell(row["high"]), numeric=False),
        Column("Side", lambda row: Cell(WHO[row["side"]]), numeric=False),
        *(Column(SHOWN[name], _index(name)) for name in COLUMNS[method]),
        Column(BLOCKS[method].capitalize(), lambda row: number(row["n"], shown=str(row["n"]))),
        Column("Distinguishable from luck", verdict, numeric=False),
        Column("Way", direction, numeric=False),
    ]
    table = tabulated(columns, [row for sides in rows.values() for row in sides.values()])
    return Section("levers", "All levers", "Click a heading to sort.", table=table)


def _index(name: str) -> Callable[[Mapping[str, Any]], Cell]:
    """The cell of an index."""

    def cell(row: Mapping[str, Any]) -> Cell:
        value = row[name]
        shown = hundredths(value) if name in SIGNED else f"{value:.3f}"
        return number(
            value,
            shown=shown if np.isfinite(value) else "",
            tone="" if row["distinguishable"] else "flat",
        )

    return cell


def _methods(experiment: Experiment, method: str, rows: Rows) -> list[tuple[str, str]]:
    args, scenario, manifest = experiment.manifest["args"], experiment.scenario, experiment.manifest
    used = min(row["n"] for row in rows[LUCK].values())
    blocks = f"{manifest.get('blocks', 0)} {BLOCKS[method]}"
    how = {
        "morris": f"{blocks} on {LEVELS} levels (Morris 1991); mu* is the mean size of the change "
        "of the score when a lever goes over its whole range, mu its mean, sigma its spread "
        "(curvature, interplay, and luck).",
        "sobol": f"{blocks} (Saltelli 2010); S1 is the share of the score's variance that a lever "
        "explains by itself, ST that with all its interplay; trend is Spearman's rank correlation "
        "of the lever with the score.",
    }[method]
    return [
        ("Design", f"{how} {used} of them could be used. By SALib."),
        (
            "Worlds",
            f"{args['replicates']}: seed {scenario.seed}. Each run continues from the fork of a "
            f"world that the seed draws, and its score is against that world as it is.",
        ),
        (
            "Luck",
            "A parameter that sets nothing is a part of the design; what it seems to do is luck, "
            "as it is in every other index. A lever is distinguishable from luck where their "
            f"{in_percent(effects.LEVEL)} intervals (bootstrap) do not overlap.",
        ),
        *reporting.usual_methods(experiment),
    ]
