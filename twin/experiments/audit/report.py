"""The report of `twin audit`: which engineering setting is political and towards whom, as
sentences, map, ranked bars and tables.

Everything is read from the folder: ``results.parquet``, ``scores.parquet``, ``parts.parquet`` and
the manifest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from twin.experiments import effects
from twin.experiments import page as reporting
from twin.experiments.audit import pictures
from twin.experiments.audit.engineering import SIDES
from twin.experiments.audit.forces import Force, read_forces
from twin.experiments.audit.scoring import Score
from twin.experiments.compare import rows as compared
from twin.experiments.experiment import Experiment
from twin.experiments.forks import WINDOW
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
from twin.ground.units import DAY, at, format_duration
from twin.readers.panels import label_words, words_of

REPORTED = 6
"""Most steps that the summary tells of one by one."""
WHO = {"producer": "creators", "consumer": "consumers"}


def write(experiment: Experiment) -> None:
    """Write ``report.html``."""
    forces = read_forces(experiment)
    parts = experiment.store.read_table("parts.parquet").to_pylist()
    scenario, args, manifest = experiment.scenario, experiment.manifest["args"], experiment.manifest
    fork_s, n = int(args["at_s"]), int(args["replicates"])
    sections = [
        _map(experiment, forces),
        _bars(forces),
        _steps(forces),
        _parts(parts),
        _left(manifest.get("left", [])),
    ]
    days = f"{min(WINDOW, scenario.duration - fork_s) / DAY:.3g}"
    page = Report(
        f"{scenario.name}: audit of {len(forces)} engineering steps",
        scenario.description,
        summary(forces, manifest),
        sections,
        _methods(experiment, forces, parts, days),
        under=(
            f"{n} worlds were forked on {at(scenario.start, fork_s):%d %B %Y}, "
            f"{format_duration(fork_s)} after the start, and went on to "
            f"{at(scenario.start, scenario.duration):%d %B %Y} without and with each step: "
            f"{manifest.get('runs', 0)} runs.",
        ),
        notices=reporting.failures(experiment),
        note=f"Scores are means over the last {days} days against the same worlds without the "
        f"step, in standard deviations (sd) from world "
        f"to world; more is better for that side. In brackets {effects.LEVEL:.0%} intervals.",
    )
    reporting.write(experiment, page)


def signed(value: float) -> str:
    """Two digits behind the point, with a sign."""
    return f"{value:+.2f}".replace("-", "−") if np.isfinite(value) else "?"


def interval(score: Score) -> str:
    """Effect with interval in words."""
    return f"{signed(score.effect)} sd [{signed(score.low)}, {signed(score.high)}]"


def _tone(score: Score, sure: bool) -> str:
    return {1: "good", -1: "bad", 0: ""}[score.sign] if sure else "flat"


def summary(forces: Sequence[Force], manifest: dict[str, Any]) -> list[Summary]:
    """What is said on top."""
    sure = [force for force in forces if force.sure]
    moved = [force for force in forces if not force.sure and not force.untouched]
    still = [force.step for force in forces if force.untouched]
    told: list[Words] = []
    for force in sure[:REPORTED]:
        told.append(
            [
                (
                    f"{force.step} ({force.set}) is {force.towards}: "
                    if force.towards.startswith(("for", "against"))
                    else f"{force.step} ({force.set}): {force.towards}: ",
                    "",
                ),
                (f"creators {interval(force.producer)}", _tone(force.producer, True)),
                (", ", ""),
                (f"consumers {interval(force.consumer)}", _tone(force.consumer, True)),
                (f"; q {force.q:.2g}.", ""),
            ]
        )
    if len(sure) > REPORTED:
        told.append(
            [
                (
                    f"Less strongly: "
                    f"{listed(f'{force.step} ({force.towards})' for force in sure[REPORTED:])}.",
                    "",
                )
            ]
        )
    if not sure:
        told.append([(f"None of the {len(forces)} steps could be told from noise.", "flat")])
    said = [
        Summary("Which engineering is political, and towards whom", told, what="Strongest first.")
    ]
    split = [force.step for force in sure if force.producer.sign * force.consumer.sign < 0]
    if split:
        said.append(
            Summary(
                "What takes from one side and gives to the other", [[(f"{listed(split)}.", "")]]
            )
        )
    doubt: list[Words] = []
    if moved:
        widths = [
            (side.high - side.low) / 2
            for force in moved
            for side in (force.producer, force.consumer)
        ]
        doubt.append(
            [
                (
                    f"{len(moved)} of {len(forces)} steps could not be told from noise: "
                    f"{listed(force.step for force in moved)}. Half of "
                    f"their intervals reach {np.nanmedian(widths):.2g} sd or further to either "
                    f"side: smaller ones would mostly be missed.",
                    "flat",
                )
            ]
        )
    if still:
        doubt.append([(f"No world differs to the last bit after: {listed(still)}.", "flat")])
    if manifest.get("left"):
        doubt.append(
            [
                (
                    f"{len(manifest['left'])} steps were left out, as this scenario cannot take "
                    f"them or is so already (below).",
                    "flat",
                )
            ]
        )
    if any(force.fixed for force in forces):
        doubt.append(
            [
                (
                    "Fixed for a run, and so set from its start and not from the fork: "
                    f"{listed(force.step for force in forces if force.fixed)}.",
                    "flat",
                )
            ]
        )
    doubt.append([(f"All this rests on {manifest.get('runs', 0)} runs.", "")])
    said.append(Summary("What could not be told, and what it rests on", doubt))
    return said


def _map(experiment: Experiment, forces: Sequence[Force]) -> Section:
    table = experiment.store.read_table("scores.parquet").to_pylist()
    clouds = {
        force.step: (
            np.array([row["producer"] for row in table if row["step"] == force.step], np.float64),
            np.array([row["consumer"] for row in table if row["step"] == force.step], np.float64),
        )
        for force in forces
    }
    help_ = (
        f"Each step is one large point with its {effects.LEVEL:.0%} intervals; small points are "
        f"worlds, each compared with itself without "
        "the step. Green: for both, red: against both, violet: for one and against the other, "
        "blue: for or against one, grey: not told "
        f"from noise. The {pictures.NAMED} strongest that are told are named."
    )
    return Section(
        "map",
        "Both sides on one map",
        "Right and left: what happens to creators. Up and down: what happens to consumers.",
        groups=[
            Group(
                [
                    Picture(
                        "map",
                        "What each step does to both sides",
                        pictures.force_map(forces, clouds),
                        help_,
                    )
                ],
                width="whole",
            )
        ]
        if forces
        else (),
    )


def _bars(forces: Sequence[Force]) -> Section:
    still = [force.step for force in forces if force.untouched]
    return Section(
        "force",
        "Ranked by force",
        "The force of a step is the length of both sides' effects together. Pale: not told from "
        "noise.",
        groups=[
            Group(
                [Picture("bars", "Force and its two parts", pictures.force_bars(forces))],
                width="whole",
                quiet=f"Not drawn, as no world differs: {listed(still)}." if still else "",
            )
        ]
        if forces
        else (),
    )


def _steps(forces: Sequence[Force]) -> Section:
    columns = (
        ("Step", False),
        ("What is set", False),
        ("From", False),
        ("Force", True),
        ("Creators", True),
        ("Low", True),
        ("High", True),
        ("Consumers", True),
        ("Low", True),
        ("High", True),
        ("Worlds", True),
        ("q", True),
        ("Towards", False),
    )
    rows = []
    for force in forces:
        ends = [
            number(each, shown=signed(each), tone=_tone(side, force.sure))
            for side in (force.producer, force.consumer)
            for each in (side.effect, side.low, side.high)
        ]
        rows.append(
            [
                Cell(force.step),
                Cell(force.set),
                Cell("the start" if force.fixed else "the fork"),
                number(force.size, shown=f"{force.size:.2f}"),
                *ends,
                number(force.n, shown=str(force.n)),
                number(force.q, shown="" if force.q != force.q else f"{force.q:.2g}"),
                Cell(force.towards),
            ]
        )
    return Section(
        "steps",
        "All steps",
        "Scores in sd from world to world. Click a heading to sort.",
        table=DataTable(columns, rows),
    )


def _parts(parts: Sequence[dict[str, Any]]) -> Section:
    columns = (
        ("Step", False),
        ("Side", False),
        ("Outcome", False),
        ("Good", False),
        ("Base", True),
        ("With", True),
        ("Effect", True),
        ("Low", True),
        ("High", True),
        ("Unit", False),
        ("sd", True),
        ("p", True),
        ("Worlds", True),
        ("In the score", False),
    )
    rows = []
    for row in parts:
        clear = row["low"] > 0 or row["high"] < 0
        tone = ("good" if row["effect"] * row["good"] > 0 else "bad") if clear else "flat"
        ends = [
            number(
                row[name],
                shown=compared.number(row[name]) if np.isfinite(row[name]) else "",
                tone=tone,
            )
            for name in ("effect", "low", "high")
        ]
        rows.append(
            [
                Cell(row["step"]),
                Cell(WHO[row["side"]]),
                Cell(outcome(row["metric"], row["labels"])),
                Cell("more" if row["good"] > 0 else "less"),
                number(row["base"]),
                number(row["value"]),
                *ends,
                Cell("" if row["unit"] == "1" else row["unit"]),
                number(
                    row["sd"], shown=signed(row["sd"]) if row["sd"] == row["sd"] else "", tone=tone
                ),
                number(row["p"], shown="" if row["p"] != row["p"] else f"{row['p']:.2g}"),
                number(row["n"], shown=str(row["n"])),
                Cell("yes" if row["counts"] else "no: the same in all worlds, or not read in all"),
            ]
        )
    return Section(
        "parts",
        "What the scores are made of",
        "The effect of every step on every outcome, in its own unit and in sd from world to "
        "world. p and intervals are of this outcome alone, not corrected for the many.",
        table=DataTable(columns, rows, "Only rows with these words, such as: quota creators"),
    )


def outcome(metric: str, labels: str) -> str:
    """A series as people read it."""
    values = ", ".join(part.partition("=")[2] for part in labels.split(",")) if labels else ""
    return words_of(metric) + (f" ({label_words(values)})" if values else "")


def _left(left: Sequence[Sequence[str]]) -> Section:
    return Section(
        "left",
        "Steps left out",
        "" if left else "None.",
        table=DataTable(
            (("Step", False), ("Why", False)), [[Cell(name), Cell(why)] for name, why in left]
        )
        if left
        else None,
    )


def _methods(
    experiment: Experiment, forces: Sequence[Force], parts: Sequence[dict[str, Any]], days: str
) -> list[tuple[str, str]]:
    args, scenario = experiment.manifest["args"], experiment.scenario
    counted = {
        side: list(
            dict.fromkeys(
                outcome(row["metric"], row["labels"]) for row in parts if row["side"] == side
            )
        )
        for side in SIDES
    }
    rows = [
        (
            "Worlds",
            f"{args['replicates']}: seed {scenario.seed}, replicates 0 to "
            f"{args['replicates'] - 1}. Each ran to the fork once and went "
            "on without and with each step; every draw of luck is keyed by person and purpose, so "
            "both draw the same.",
        ),
        (
            "Score",
            f"Per world, the mean over a side's outcomes of the change in the last {days} days, in "
            f"standard deviations of that outcome "
            "from world to world, turned so that more is better. Outcomes weigh the same, which is "
            "a choice; an outcome that is the same "
            "in all worlds does not count.",
        ),
    ]
    rows += [
        (f"Outcomes of {WHO[side]}", listed(names) or "none is here")
        for side, names in counted.items()
    ]
    rows += [
        (
            "Told from noise",
            f"Hotelling's T² of both scores against nothing, corrected over the {len(forces)} "
            f"steps by Benjamini and Hochberg: "
            f"q < {1 - effects.LEVEL:.2g}. Towards whom: sides whose own {effects.LEVEL:.0%} "
            f"interval (Student's t) keeps clear "
            "of zero.",
        ),
        (
            "Steps",
            "Round numbers that teams do choose between, not equal in any other sense: read the "
            "force of a step, not of a parameter. "
            "For levers together: twin audit --method morris.",
        ),
    ]
    return [*rows, *reporting.usual_methods(experiment)]
