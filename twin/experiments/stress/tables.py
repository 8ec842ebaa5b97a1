"""Tables of a stress test's report: directions in which failure lies, the ranges, and all worlds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from twin.experiments.page import Cell, Column, DataTable, Section, number, tabulated
from twin.experiments.stress import words
from twin.experiments.stress.goals import Goal
from twin.experiments.stress.outcomes import Outcome
from twin.experiments.stress.pictures import NAMES
from twin.experiments.stress.uncertain import Uncertain
from twin.experiments.stress.verdicts import Direction, Verdict

KEPT = {
    True: Cell("holds", tone="good"),
    False: Cell("fails", tone="bad"),
    None: Cell("not known", tone="flat"),
}
"""Whether a goal is kept, as a cell."""


class Along(NamedTuple):
    """A goal with what was found along one parameter."""

    goal: Goal
    found: Direction


def directions(verdicts: Sequence[Verdict]) -> DataTable:
    """Every goal with every parameter, the strongest first."""
    columns: list[Column[Along]] = [
        Column("Goal", lambda row: Cell(row.goal.text), numeric=False),
        Column("Parameter", _parameter, numeric=False),
        Column("Rank correlation", lambda row: number(row.found.correlation)),
        Column("p", lambda row: number(row.found.p)),
        Column("q", lambda row: number(row.found.q)),
        Column("Mean where it fails", lambda row: number(row.found.failing)),
        Column("Mean where it holds", lambda row: number(row.found.holding)),
        Column("p of their difference", lambda row: number(row.found.difference_p)),
        Column("q of it", lambda row: number(row.found.difference_q)),
    ]
    rows = [Along(verdict.goal, each) for verdict in verdicts for each in verdict.directions]
    return tabulated(columns, rows, "Only rows with these words, such as: creators")


def _parameter(row: Along) -> Cell:
    return Cell(row.found.parameter, tone="" if row.found.sure else "flat")


def ranges(given: Sequence[Uncertain]) -> Section:
    """What is not known, and why these ranges."""
    columns: list[Column[Uncertain]] = [
        Column("Parameter", lambda each: Cell(each.vary.path), numeric=False),
        Column("Range", lambda each: Cell(words.ends(each)), numeric=False),
        Column("Why", lambda each: Cell(each.reason), numeric=False),
    ]
    return Section(
        "ranges",
        "What is not known",
        "The ranges that worlds are drawn from. Every statement here holds under these alone.",
        table=tabulated(columns, given),
    )


class Kept(NamedTuple):
    """A world with one of the goals, by its place ``g`` among them."""

    outcome: Outcome
    goal: Goal
    g: int

    @property
    def base(self) -> float:
        """The mean without the policy."""
        return self.outcome.base[self.g]

    @property
    def value(self) -> float:
        """The mean with the policy."""
        return self.outcome.value[self.g]


def worlds(seen: Sequence[Outcome], goals: Sequence[Goal], given: Sequence[Uncertain]) -> Section:
    """Every world with every goal, in the order in which worlds ran."""
    columns: list[Column[Kept]] = [
        Column("Phase", lambda row: Cell(NAMES[row.outcome.world.phase]), numeric=False),
        Column("World", lambda row: _whole(row.outcome.world.point)),
        Column("Replicate", lambda row: _whole(row.outcome.world.replicate)),
        Column("Goal", lambda row: Cell(row.goal.text), numeric=False),
        Column("Without", lambda row: number(row.base)),
        Column("With", lambda row: number(row.value)),
        Column("Margin", lambda row: number(row.goal.margin(row.base, row.value))),
        Column("Holds", lambda row: KEPT[row.goal.holds(row.base, row.value)], numeric=False),
        *(Column(one.vary.path, _setting(one, place)) for place, one in enumerate(given)),
    ]
    rows = [Kept(each, goal, g) for each in seen for g, goal in enumerate(goals)]
    return Section(
        "table",
        "All worlds",
        "Click a heading to sort.",
        table=tabulated(columns, rows, "Only rows with these words, such as: searched fails"),
    )


def _whole(value: int) -> Cell:
    return Cell(str(value), value)


def _setting(one: Uncertain, place: int) -> Callable[[Kept], Cell]:
    """The cell of a parameter, sorted by where its value lies in the range."""

    def cell(row: Kept) -> Cell:
        text = row.outcome.world.values[place]
        return Cell(text, one.position(text))

    return cell
