"""The report of `twin audit --method morris` or ``sobol``: which levers move which side's score,
against a parameter that does nothing.

Everything is read from the folder: ``results.parquet`` and the manifest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from twin.experiments import effects
from twin.experiments import page as reporting
from twin.experiments.audit import pictures
from twin.experiments.audit.engineering import SIDES
from twin.experiments.audit.report import WHO, signed
from twin.experiments.audit.sensitivity import COLUMNS, INDEX, LEAST, LEVELS, LUCK, SPAN
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
from twin.ground.units import at, format_duration

SHOWN = {
    "mu_star": "mu*",
    "mu_star_conf": "± mu*",
    "mu": "mu",
    "mu_low": "mu low",
    "mu_high": "mu high",
    "sigma": "sigma",
    "S1": "S1",
    "S1_conf": "± S1",
    "ST": "ST",
    "ST_conf": "± ST",
    "trend": "Trend",
    "trend_low": "Trend low",
    "trend_high": "Trend high",
}
Rows = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""By lever and side."""


def write(experiment: Experiment) -> None:
    """Write ``report.html``."""
    scenario, manifest = experiment.scenario, experiment.manifest
    args, method = manifest["args"], str(manifest["args"]["method"])
    rows: dict[str, dict[str, dict[str, Any]]] = {}
    for row in experiment.store.read_table("results.parquet").to_pylist():
        rows.setdefault(row["lever"], {})[row["side"]] = row
    name = {"morris": "Morris' elementary effects", "sobol": "Sobol's indices"}[method]
    page = Report(
        f"{scenario.name}: audit of {len(rows) - 1} levers by {name}",
        scenario.description,
        summary(rows, method, manifest),
        [_map(rows, method), _table(rows, method), _left(manifest.get("left", []))],
        _methods(experiment, method, rows),
        under=(
            f"{args['replicates']} worlds were forked on "
            f"{at(scenario.start, int(args['at_s'])):%d %B %Y}, "
            f"{format_duration(int(args['at_s']))} after the start; {manifest.get('runs', 0)} "
            f"runs.",
        ),
        notices=reporting.failures(experiment),
        note=f"Every lever runs from its value / {SPAN:g} to x {SPAN:g} within its bounds; scores "
        f"are in standard deviations "
        f"(sd) from world to "
        f"world, more is better for that side. In brackets {effects.LEVEL:.0%} intervals.",
    )
    reporting.write(experiment, page)


def _way(row: Mapping[str, Any], method: str) -> str:
    low, high = (
        (row["mu_low"], row["mu_high"])
        if method == "morris"
        else (row["trend_low"], row["trend_high"])
    )
    return (
        "more of it is better" if low > 0 else "more of it is worse" if high < 0 else "no one way"
    )


def summary(rows: Rows, method: str, manifest: Mapping[str, Any]) -> list[Summary]:
    """What is said on top."""
    index, said, unsure = INDEX[method], [], []
    for side, who in WHO.items():
        mine = sorted(
            (row[side] for lever, row in rows.items() if lever != LUCK and row[side]["told"]),
            key=lambda row: -row[index],
        )
        luck = rows[LUCK][side]
        items: list[Words] = []
        if luck["n"] < LEAST:
            items.append(
                [(f"Too few {_blocks(method)} are left ({luck['n']}) to say anything.", "flat")]
            )
        for row in mine:
            way = _way(row, method)
            tone = {"more of it is better": "good", "more of it is worse": "bad"}.get(way, "")
            items.append(
                [
                    (
                        f"{row['lever']} ({row['low']} to {row['high']}, now {row['now']}): "
                        f"{SHOWN[index]} {row[index]:.2f} "
                        f"[{row[index] - row[f'{index}_conf']:.2f}, "
                        f"{row[index] + row[f'{index}_conf']:.2f}], ",
                        "",
                    ),
                    (way, tone),
                    (".", ""),
                ]
            )
        if luck["n"] >= LEAST and not mine:
            items.append([("No lever can be told from luck.", "flat")])
        if np.isfinite(luck[index]):
            items.append(
                [
                    (
                        f"Luck alone, a parameter that sets nothing, has {SHOWN[index]} "
                        f"{luck[index]:.2f} "
                        f"[{luck[index] - luck[f'{index}_conf']:.2f}, "
                        f"{luck[index] + luck[f'{index}_conf']:.2f}].",
                        "flat",
                    )
                ]
            )
        said.append(
            Summary(
                f"What moves the score of {who}",
                items,
                what="Levers told from luck, strongest first.",
            )
        )
        unsure.append(
            {lever for lever, row in rows.items() if lever != LUCK and not row[side]["told"]}
        )
    neither = [lever for lever in rows if lever in unsure[0] & unsure[1]]
    last: list[Words] = []
    if neither:
        last.append(
            [
                (
                    f"{len(neither)} of {len(rows) - 1} levers could not be told from luck on "
                    f"either side: {listed(neither)}.",
                    "flat",
                )
            ]
        )
    if manifest.get("refused"):
        last.append(
            [
                (
                    f"{manifest['refused']} points are refused by the scenario; their "
                    f"{_blocks(method)} are left out.",
                    "flat",
                )
            ]
        )
    last.append([(f"All this rests on {manifest.get('runs', 0)} runs.", "")])
    said.append(Summary("What could not be told, and what it rests on", last))
    return said


def _blocks(method: str) -> str:
    return "trajectories" if method == "morris" else "blocks"


def _map(rows: Rows, method: str) -> Section:
    index = INDEX[method]
    known = {
        lever: row
        for lever, row in rows.items()
        if all(np.isfinite(row[side][index]) for side in SIDES)
    }
    if LUCK not in known:
        return Section(
            "map",
            "Both sides on one map",
            "There is nothing to draw: too few runs are left, or a score never varies.",
        )
    help_ = (
        "Far right: moves creators; far up: moves consumers. Grey bands reach to the end of luck's "
        "interval. Violet: told from "
        "luck on both "
        "sides; pink: creators only; green: consumers only; grey: on neither; black: luck. Only "
        "what is told is named."
    )
    return Section(
        "map",
        "Both sides on one map",
        groups=[
            Group(
                [
                    Picture(
                        "map",
                        "How strongly each lever moves both sides",
                        pictures.index_map(known, index, LUCK),
                        help_,
                    )
                ],
                width="whole",
            )
        ],
    )


def _table(rows: Rows, method: str) -> Section:
    columns = (
        ("Lever", False),
        ("Now", False),
        ("Low end", False),
        ("High end", False),
        ("Side", False),
        *((SHOWN[name], True) for name in COLUMNS[method]),
        (_blocks(method).capitalize(), True),
        ("Told from luck", False),
        ("Way", False),
    )
    made = []
    for lever, sides in rows.items():
        for side, row in sides.items():
            cells = [
                number(
                    row[name],
                    shown=(
                        signed(row[name])
                        if name.startswith(("mu_l", "mu_h", "trend")) or name == "mu"
                        else f"{row[name]:.3f}"
                    )
                    if np.isfinite(row[name])
                    else "",
                    tone="" if row["told"] else "flat",
                )
                for name in COLUMNS[method]
            ]
            last = (
                [Cell(""), Cell("")]
                if lever == LUCK
                else [Cell("yes" if row["told"] else "no"), Cell(_way(row, method))]
            )
            made.append(
                [
                    Cell(lever),
                    Cell(row["now"]),
                    Cell(row["low"]),
                    Cell(row["high"]),
                    Cell(WHO[side]),
                    *cells,
                    number(row["n"], shown=str(row["n"])),
                    *last,
                ]
            )
    return Section(
        "levers", "All levers", "Click a heading to sort.", table=DataTable(columns, made)
    )


def _left(left: Sequence[Sequence[str]]) -> Section:
    return Section(
        "left",
        "Settings left out",
        "" if left else "None.",
        table=DataTable(
            (("Setting", False), ("Why", False)), [[Cell(name), Cell(why)] for name, why in left]
        )
        if left
        else None,
    )


def _methods(experiment: Experiment, method: str, rows: Rows) -> list[tuple[str, str]]:
    args, scenario, manifest = experiment.manifest["args"], experiment.scenario, experiment.manifest
    used = min(row["n"] for row in rows[LUCK].values())
    how = {
        "morris": f"{manifest.get('blocks', 0)} trajectories on {LEVELS} levels (Morris 1991); mu* "
        f"is the mean size of the "
        f"change of the score "
        "when a lever goes over its whole range, mu its mean, sigma its spread (curvature, "
        "interplay, and luck).",
        "sobol": f"{manifest.get('blocks', 0)} blocks (Saltelli 2010); S1 is the share of the "
        f"score's variance that a lever "
        f"explains by itself, "
        "ST that with all its interplay; trend is Spearman's rank correlation of the lever with "
        "the score.",
    }[method]
    return [
        ("Design", f"{how} {used} of them could be used. By SALib."),
        (
            "Worlds",
            f"{args['replicates']}: seed {scenario.seed}. Each run goes on from the fork of a "
            f"world that the seed draws, and its score is "
            "against that world as it is.",
        ),
        (
            "Told from luck",
            f"A parameter that sets nothing is a part of the design; what it seems to do is luck, "
            f"as it is in every other index. "
            f"A lever is told from it where their {effects.LEVEL:.0%} intervals (bootstrap) do not "
            f"overlap.",
        ),
        *reporting.usual_methods(experiment),
    ]
