"""Tables of an audit's report: all steps, and the outcomes that their scores are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from twin.experiments.audit.forces import Force
from twin.experiments.audit.words import tone
from twin.experiments.page import Cell, Column, Section, number, tabulated
from twin.experiments.words import WHO, hundredths, series_name, signed, two_digits

Part = Mapping[str, Any]
"""A row of ``parts.parquet``."""


def steps(forces: Sequence[Force]) -> Section:
    """All steps, strongest first."""
    columns: list[Column[Force]] = [
        Column("Step", lambda force: Cell(force.step), numeric=False),
        Column("What is set", lambda force: Cell(force.set), numeric=False),
        Column(
            "From", lambda force: Cell("the start" if force.fixed else "the fork"), numeric=False
        ),
        Column("Force", lambda force: number(force.size, shown=f"{force.size:.2f}")),
        Column("Creators", _score("producer", "effect")),
        Column("Low", _score("producer", "low")),
        Column("High", _score("producer", "high")),
        Column("Consumers", _score("consumer", "effect")),
        Column("Low", _score("consumer", "low")),
        Column("High", _score("consumer", "high")),
        Column("Worlds", lambda force: number(force.n, shown=str(force.n))),
        Column("q", lambda force: number(force.q, shown=two_digits(force.q))),
        Column("Towards", lambda force: Cell(force.towards), numeric=False),
    ]
    return Section(
        "steps",
        "All steps",
        "Scores in sd from world to world. Click a heading to sort.",
        table=tabulated(columns, forces),
    )


def _score(side: str, end: str) -> Callable[[Force], Cell]:
    """The cell of a side's effect or of one end of its interval."""

    def cell(force: Force) -> Cell:
        score = getattr(force, side)
        value: float = getattr(score, end)
        return number(value, shown=hundredths(value), tone=tone(score, force.sure))

    return cell


def parts(rows: Sequence[Part]) -> Section:
    """Every step's effect on every outcome of a score."""
    columns: list[Column[Part]] = [
        Column("Step", lambda row: Cell(row["step"]), numeric=False),
        Column("Side", lambda row: Cell(WHO[row["side"]]), numeric=False),
        Column(
            "Outcome", lambda row: Cell(series_name(row["metric"], row["labels"])), numeric=False
        ),
        Column("Good", lambda row: Cell("more" if row["good"] > 0 else "less"), numeric=False),
        Column("Base", lambda row: number(row["base"])),
        Column("With", lambda row: number(row["value"])),
        Column("Effect", _part("effect")),
        Column("Low", _part("low")),
        Column("High", _part("high")),
        Column("Unit", lambda row: Cell("" if row["unit"] == "1" else row["unit"]), numeric=False),
        Column("sd", _standard),
        Column("p", lambda row: number(row["p"], shown=two_digits(row["p"]))),
        Column("Worlds", lambda row: number(row["n"], shown=str(row["n"]))),
        Column("In the score", _counts, numeric=False),
    ]
    return Section(
        "parts",
        "What the scores are made of",
        "The effect of every step on every outcome, in its own unit and in sd from world to "
        "world. p and intervals are of this outcome alone, not corrected for the many.",
        table=tabulated(columns, rows, "Only rows with these words, such as: quota creators"),
    )


def _tone(row: Part) -> str:
    clear = row["low"] > 0 or row["high"] < 0
    return ("good" if row["effect"] * row["good"] > 0 else "bad") if clear else "flat"


def _part(name: str) -> Callable[[Part], Cell]:
    """The cell of an effect in its own unit, or of one end of its interval."""

    def cell(row: Part) -> Cell:
        shown = signed(row[name]) if np.isfinite(row[name]) else ""
        return number(row[name], shown=shown, tone=_tone(row))

    return cell


def _standard(row: Part) -> Cell:
    # NaN where the outcome is the same in all worlds
    shown = hundredths(row["sd"]) if row["sd"] == row["sd"] else ""
    return number(row["sd"], shown=shown, tone=_tone(row))


def _counts(row: Part) -> Cell:
    return Cell("yes" if row["counts"] else "no: the same in all worlds, or not read in all")
