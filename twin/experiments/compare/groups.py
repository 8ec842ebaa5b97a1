"""Who gains and who loses under each policy: effects on the means of groups of creators and of
consumers (`twin.mechanisms.groups`), a family of tests of their own.

Effects are in percent of the world without the policy, 100 effect / base; a group with nothing has
none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, HoverTool, Range1d
from bokeh.plotting import figure

from twin.experiments import effects
from twin.experiments.compare.data import Data
from twin.experiments.compare.rows import Row
from twin.experiments.drawing import BAD, GOOD, NOISE, padded, zero_line
from twin.experiments.page import TONES, Group, Picture, Section, Words, percent
from twin.experiments.words import SIDES
from twin.readers.group_pictures import BY, MARKS, ROOM, group_axis, lorenz_curves
from twin.readers.groups import CURVE, group_words
from twin.readers.panels import words_of
from twin.readers.text import human

MOST = 4
"""Gains and losses listed per side in a summary."""


def split_of(row: Row) -> tuple[str, str]:
    """By what a row's series splits, and which group it is of."""
    name, _, label = row.labels.partition("=")
    return name, label


def quantity(row: Row) -> str:
    """What the groups have of it, as words: ``reach``."""
    return words_of(row.metric).partition(" by ")[0].removesuffix(" share").lower()


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
    share = [percent(row.percent(value)) for value in (row.effect, row.low, row.high)]
    ends = f"[{share[1].rstrip('%').strip()}, {share[2]}]"
    return f"{group_words(*split_of(row))}: {quantity(row)} {share[0]} {ends}"


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
                _forest(rows),
                _caption(rows),
            )
            for side, split, rows in _by_split(mine)
        ]
        if curves := _lorenz(mine):
            drawn.append(
                Picture(
                    f"who-{place}-lorenz",
                    "How unequal: Lorenz curves of creators",
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
            f"Effects in percent of the same worlds without the policy, with {effects.LEVEL:.0%} "
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


def _caption(rows: Sequence[Row]) -> str:
    names = list(dict.fromkeys(quantity(row) for row in rows))
    return "; ".join(f"{MARKS[k % len(MARKS)]}: {name}" for k, name in enumerate(names)) + "."


def _forest(rows: Sequence[Row]) -> figure:
    """Effects of one way of splitting, one line per group, one mark per quantity."""
    names = list(dict.fromkeys(split_of(row)[1] for row in rows))
    plot = group_axis(names)
    ends = [row.percent(value) for row in rows for value in (row.low, row.high)]
    plot.x_range = Range1d(*padded(ends, ROOM, 1.0))
    zero_line(plot, "height")
    drawn = []
    for place, name in enumerate(dict.fromkeys(quantity(row) for row in rows)):
        mine = [row for row in rows if quantity(row) == name]
        data: dict[str, list[Any]] = {
            **{
                key: [row.percent(getattr(row, key)) for row in mine]
                for key in ("effect", "low", "high")
            },
            "y": [len(names) - 1 - names.index(split_of(row)[1]) - 0.2 * place for row in mine],
            "colour": [{"better": GOOD, "worse": BAD}.get(row.verdict, NOISE) for row in mine],
            "who": [group_words(*split_of(row)) for row in mine],
            "what": [f"{name}: {human(row.base)} to {human(row.value)}" for row in mine],
            "how": [row.verdict or row.standing for row in mine],
        }
        source = ColumnDataSource(data)
        plot.segment("low", "y", "high", "y", source=source, color="colour", line_width=2)
        drawn.append(
            plot.scatter(
                "effect",
                "y",
                source=source,
                size=8,
                marker=MARKS[place % len(MARKS)],
                color="colour",
                line_color="white",
            )
        )
    tips = [
        ("", "@who"),
        ("", "@what"),
        ("%", "@effect{0.[0]} [@low{0.[0]}, @high{0.[0]}], @how"),
    ]
    plot.add_tools(HoverTool(renderers=drawn, tooltips=tips))
    return plot


def _lorenz(rows: Sequence[Row]) -> list[tuple[str, Any, Any]]:
    """Name of the quantity, and its curve without and with the policy."""
    made = []
    for name in dict.fromkeys(row.metric for row in rows if split_of(row)[0] == CURVE):
        steps = np.array([(row.base, row.value) for row in rows if row.metric == name])
        curves = np.concatenate([np.zeros((1, 2)), np.cumsum(steps, axis=0)])
        made.append((words_of(name).removesuffix(" share"), curves[:, 0], curves[:, 1]))
    return made
