"""Who gains and who loses under each policy: effects on the means of groups of creators and of
consumers (`twin.mechanisms.groups`), a family of tests of their own.

Effects are in percent of the world without the policy, 100 effect / base; a group with nothing has
none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from twin.experiments import effects
from twin.experiments.compare.data import Data
from twin.experiments.compare.rows import Row
from twin.experiments.page import TONES, Group, Picture, Section, Words, between, percent
from twin.experiments.words import SIDES
from twin.ground.units import in_percent
from twin.readers.group_pictures import BY, LORENZ, GroupMark, changes, legend, lorenz_curves
from twin.readers.groups import CURVE, curve, group_words, quantity
from twin.readers.panels import words_of
from twin.readers.text import human

MOST = 4
"""Gains and losses listed per side in a summary."""


def split_of(row: Row) -> tuple[str, str]:
    """By what a row's series splits, and which group it is of."""
    name, _, label = row.labels.partition("=")
    return name, label


def held(row: Row) -> str:
    """What the groups have of it, as words: ``reach``."""
    return quantity(words_of(row.metric)).lower()


def _moved(rows: Sequence[Row], branch: str, side: str) -> list[Row]:
    """Established effects by group, the largest shares first; steps of the Lorenz curve left out."""
    mine = [
        row
        for row in rows
        if row.branch == branch
        and row.side == side
        and row.sure
        and split_of(row)[0] != CURVE
        and np.isfinite(row.percent(row.effect))
    ]
    return sorted(mine, key=lambda row: -abs(row.percent(row.effect)))


def _chosen(rows: Sequence[Row], branch: str, side: str) -> Iterator[Row]:
    """The largest gains and losses, no two of one split that go the same way."""
    for better in ("better", "worse"):
        used: set[str] = set()
        for row in _moved(rows, branch, side):
            split = split_of(row)[0]
            if row.verdict == better and split not in used and len(used) < MOST:
                used.add(split)
                yield row


def _phrase(row: Row) -> str:
    share, low, high = (percent(row.percent(value)) for value in (row.effect, row.low, row.high))
    return f"{group_words(*split_of(row))}: {held(row)} {share} {between(low, high)}"


def summary(rows: Sequence[Row], branch: str) -> list[Words]:
    """A sentence per side on who gains and who loses most."""
    made: list[Words] = []
    for side in ("producer", "consumer"):
        chosen = list(_chosen(rows, branch, side))
        if chosen:
            parts: list[tuple[str, str]] = [(f"Among {SIDES[side].lower()}: ", "flat")]
            for place, row in enumerate(chosen):
                parts += [("; " if place else "", ""), (_phrase(row), TONES.get(row.verdict, ""))]
            made.append([*parts, (".", "")])
    return made


def lines(rows: Sequence[Row]) -> list[str]:
    """What the terminal shows."""
    made = []
    for branch in dict.fromkeys(row.branch for row in rows):
        shown = [
            f"    {_phrase(row):70s} {row.verdict}"
            for side in ("producer", "consumer")
            for row in _chosen(rows, branch, side)
        ]
        mine = [row for row in rows if row.branch == branch]
        tested, sure = sum(row.p == row.p for row in mine), sum(row.sure for row in mine)
        if tested:
            made.append(
                f"{branch}, by group: {sure} of {tested} series differ, established beyond noise"
                + (":" if shown else "")
            )
            made += shown
    return ["", *made] if made else []


def section(data: Data) -> list[Section]:
    """Pictures by policy and way of splitting; none where nothing was read by group."""
    groups = []
    for place, branch in enumerate(data.branches):
        mine = [row for row in data.groups if row.branch == branch and row.n > 1]
        drawn = [
            Picture(
                f"who-{place}-{side}-{split}",
                f"{SIDES[side]} by {BY.get(split, split)}",
                changes(split, marks),
                f"{legend(marks)}.",
            )
            for side, split, rows in _by_split(mine)
            if (marks := [_mark(row) for row in rows])
        ]
        if curves := _lorenz(mine):
            drawn.append(
                Picture(
                    f"who-{place}-lorenz",
                    LORENZ,
                    lorenz_curves(curves, ("without", "with the policy")),
                    "Share of all that goes to the creators who have least of it, from left to "
                    "right, means over worlds.",
                )
            )
        if drawn:
            groups.append(Group(drawn, branch))
    if not groups:
        return []
    return [
        Section(
            "who",
            "Who gains, who loses",
            f"Effects in percent of the same worlds without the policy, with {in_percent(effects.LEVEL)} "
            f"intervals. Green and red: established among all groups of that policy. Groups are "
            f"made anew at every reading, of those who belong to them then.",
            groups=groups,
            short="Who gains",
        )
    ]


def _by_split(rows: Sequence[Row]) -> Iterator[tuple[str, str, list[Row]]]:
    """Side, split and rows that have a percentage."""
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        split = split_of(row)[0]
        if split != CURVE and np.isfinite(row.percent(row.low)):
            found.setdefault((row.side, split), []).append(row)
    for (side, split), mine in found.items():
        yield side, split, mine


def _mark(row: Row) -> GroupMark:
    change, low, high = (row.percent(value) for value in (row.effect, row.low, row.high))
    words = (
        f"{human(row.base)} to {human(row.value)}, {percent(change)} "
        f"{between(percent(low), percent(high))}, {row.verdict or row.standing}"
    )
    label = split_of(row)[1]
    return GroupMark(label, held(row), change, low, high, TONES.get(row.verdict, ""), words)


def _lorenz(rows: Sequence[Row]) -> list[tuple[str, Any, Any]]:
    """Name of the quantity, and its curve without and with the policy."""
    made = []
    for name in dict.fromkeys(row.metric for row in rows if split_of(row)[0] == CURVE):
        steps = np.array([(row.base, row.value) for row in rows if row.metric == name])
        base, value = curve(steps).T
        made.append((quantity(words_of(name)), base, value))
    return made
