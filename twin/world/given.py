"""A population of the user's: a table of people or of creators, from CSV or Parquet.

Columns go by name. What a table does not have, and cells that are empty, are drawn as for any other
population; columns of other names are not used, which is said. CSV has a header, and commas,
semicolons or tabs between cells; it may be packed (.gz).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.ground.errors import Problem, ScenarioError

Floats = NDArray[np.float64]
VECTOR = 16
"""Dimensions of the taste space."""
WHOLE = re.compile(r"\d+")


@dataclass(frozen=True)
class Law:
    """What a column of numbers holds: bounds, whether they are whole, and what it is in words."""

    low: float
    high: float
    words: str
    whole: bool = False


PEOPLE: Mapping[str, Law] = {
    "activity": Law(0, 1, "chance to come on a day, 0 to 1"),
    "time_zone": Law(-12, 14, "whole hours from UTC, -12 to 14", whole=True),
    "opinion": Law(-1, 1, "opinion, -1 to 1"),
}
MAKERS: Mapping[str, Law] = {
    "posts_per_day": Law(0, 1000, "posts a day, 0 to 1000"),
    "followers": Law(0, 1e9, "followers, 0 or more"),
}
OTHERS = {"people": ("id", "community", "joined", "taste"), "creators": ("id", "niche")}
"""Columns that hold no numbers, by kind of table."""
LAWS = {"people": PEOPLE, "creators": MAKERS}
SETTING = {"people": "audience.from", "creators": "creators.from"}


@dataclass(frozen=True, eq=False)
class Given:
    """A table as it was read.

    ``ids`` as text, in the order of rows, or None; ``numbers`` float64 (rows,) by column, NaN where
    a value is to be drawn: also ``community``, a place among ``communities``, and ``joined``, days
    since 1970; ``vectors`` float64 (rows, 16) of length 1 likewise. ``said``: what was read, in a
    line; ``packed``: whether it is Parquet, whose rows have numbers and no lines.
    """

    path: Path
    rows: int
    ids: list[str] | None
    numbers: dict[str, Floats]
    vectors: dict[str, Floats]
    communities: list[str] = field(default_factory=list)
    said: str = ""
    packed: bool = False

    @functools.cached_property
    def row_of(self) -> dict[str, int]:
        """Row of each id."""
        return {each: row for row, each in enumerate(self.ids or ())}

    def known(self, name: str, rows: NDArray[np.integer[Any]]) -> Floats:
        """The numbers of a column for rows of the world's table, NaN where they are drawn."""
        found = np.full(len(rows), np.nan)
        if (given := self.numbers.get(name)) is not None:
            found[rows < self.rows] = given[rows[rows < self.rows]]
        return found

    def vector(self, name: str, rows: NDArray[np.integer[Any]], drawn: Floats) -> Floats:
        """Vectors (n, 16) of rows: as given, else as drawn."""
        given = self.vectors.get(name)
        if given is None:
            return drawn
        found = np.full(drawn.shape, np.nan)
        found[rows < self.rows] = given[rows[rows < self.rows]]
        made: Floats = np.where(np.isnan(found), drawn, found)
        return made


def wrong(
    path: Path, kind: str, packed: bool, row: int | None, what: tuple[str, str]
) -> ScenarioError:
    """An error about a row (None: about the whole table); ``what``: reason and mend."""
    line, words = place(packed, row)
    return ScenarioError([Problem(str(path), line, SETTING[kind], words + what[0], what[1])])


def place(packed: bool, row: int | None) -> tuple[int, str]:
    """Line of a row, or its number in words where a file has no lines (``packed``: Parquet)."""
    if row is None:
        return 0, ""
    return (0, f"row {row + 1}: ") if packed else (row + 2, "")


def persons_of(makers: Given, people: Given | None, *, graph: bool) -> NDArray[np.int64] | None:
    """The row of each creator among people, by their ids; None where ids do not say it, so that
    persons are drawn. ``graph``: whether a graph ties people. Raises ScenarioError for an id that no
    person has, and for a graph whose people cannot be told."""
    if makers.ids is None or people is None or people.ids is None:
        if graph:
            lacking = makers.ids is None
            what = (
                "has no column id, by which creators are people of the graph",
                "add it, the ids of audience.from",
            )
            if lacking:
                raise wrong(makers.path, "creators", makers.packed, None, what)
            reason = "its creators are people of a graph, of whom there is no table with ids"
            raise wrong(
                makers.path, "creators", makers.packed, None, (reason, "give audience.from, too")
            )
        return None
    rows = [people.row_of.get(each, -1) for each in makers.ids]
    if -1 in rows:
        row = rows.index(-1)
        what = (
            f"no person of {people.path.name} has the id {makers.ids[row]}",
            "give that person a row there",
        )
        raise wrong(makers.path, "creators", makers.packed, row, what)
    return np.array(rows, np.int64)


def check_communities(people: Given, most: int) -> None:
    """Raise ScenarioError if a table of people has more communities than the world."""
    if len(people.communities) > most:
        what = (
            f"has {len(people.communities)} communities, and network.communities is {most}",
            f"set network.communities to {len(people.communities)}",
        )
        raise wrong(people.path, "people", people.packed, None, what)


def overfull(makers: Given, people: int) -> ScenarioError:
    """That there are more creators than people who could be them."""
    what = f"has {makers.rows:,} creators, and there are {people:,} people"
    return wrong(
        makers.path, "creators", makers.packed, None, (what, "every creator is a person, too")
    )


def canonical(ids: list[str]) -> list[str]:
    """Ids as they are compared: numbers without leading zeros, if all are numbers."""
    whole = all(WHOLE.fullmatch(each) for each in ids)
    return [str(int(each)) for each in ids] if whole else ids
