"""The first page of a run's report: five questions and their answers, in sentences by rule, every
number from the readings.

    what was done      the policies that took effect, and what they set
    who gained         headline metrics that moved the good way beyond noise, and the groups whose
    who lost           means moved most (the other way: lost); see `moves` for what is noise
    how sure           what one run of one seed can say, and what was moving before
    what to look at    the largest other changes, with links to their pictures, and the next command
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from twin.ground.units import in_percent
from twin.readers import drift
from twin.readers.baseline import Windows, took_effect
from twin.readers.chapters import Chapter
from twin.readers.groups import Split, extremes
from twin.readers.headlines import SIDES
from twin.readers.moves import LEAST, NOISE, Move, moves_of_side
from twin.readers.panels import title
from twin.readers.story import restless
from twin.readers.text import change, human, short

Event = tuple[dt.datetime, str, str]
"""When, which kind, and its text."""
MOST, FURTHER, POLICIES = 3, 4, 6
"""Headline changes and groups listed per side and question, further changes, and policies."""


@dataclass(frozen=True)
class Item:
    """One line of an answer: who it is about, words, their tone (``good``, ``bad`` or empty), a
    link within the page, and a command."""

    words: str
    who: str = ""
    tone: str = ""
    link: str = ""
    command: str = ""


@dataclass(frozen=True)
class Answer:
    """A question with its lines."""

    question: str
    items: Sequence[Item]


def answers(
    found: Mapping[str, Sequence[Chapter]],
    groups: Mapping[str, Sequence[Split]],
    windows: Windows,
    events: Sequence[Event],
    place: str,
) -> list[Answer]:
    """The five questions, from the chapters and the groups of each side. ``place`` is the run's
    folder as a command takes it."""
    done = Answer("What was done?", _done(events, windows))
    if len(windows.times) < 8:
        return [done]
    moves = {side: moves_of_side(each, windows) for side, each in found.items()}
    return [
        done,
        Answer("Who gained?", _fared(groups, moves, better=True)),
        Answer("Who lost?", _fared(groups, moves, better=False)),
        Answer("How sure is that?", _sure(windows, moves)),
        Answer("What to look at next?", _next(found, moves, place, windows.mark is not None)),
    ]


def _done(events: Sequence[Event], windows: Windows) -> list[Item]:
    began = [
        (when, text.partition(": "))
        for when, kind, text in events
        if took_effect(kind, text) is not None
    ]
    if not began:
        words = f"No policy took effect. What follows compares {windows.last} with {windows.name}."
        return [Item(words)]
    items = [
        Item(f"{short(rest, 160) or name}, from {when.day} {when:%B %Y}", who=short(name, 60))
        for when, (name, _, rest) in began[:POLICIES]
    ]
    if len(began) > POLICIES:
        items.append(Item(f"and {len(began) - POLICIES} more", link="#tables"))
    return [*items, Item(f"What follows compares {windows.last} with {windows.name}.")]


def _fared(
    groups: Mapping[str, Sequence[Split]], moves: Mapping[str, Sequence[Move]], *, better: bool
) -> list[Item]:
    """Headlines and groups that moved one way, side by side."""
    tone = "good" if better else "bad"
    items = []
    for side, (name, _) in SIDES.items():
        heads = [
            move
            for move in sorted(moves[side], key=lambda move: -move.size)
            if move.one.metric.headline and move.better is better
        ]
        items += [Item(_words(move), name, tone) for move in heads[:MOST]]
        chosen = extremes(groups.get(side, ()), better, MOST)
        items += [Item(one.sentence, name, tone, "#who") for one in chosen]
    if not items:
        return [Item(f"Nobody, beyond noise and {in_percent(LEAST)} of what it was.")]
    return items


def _words(move: Move) -> str:
    unit = "" if move.one.metric.unit in ("1", "s", "bytes") else f" {move.one.metric.unit}"
    kind = move.one.metric.unit
    return (
        f"{title(move.one.metric, move.one.label)} {change(move.before, move.after)} "
        f"({human(move.before, kind)} to {human(move.after, kind)}{unit})"
    )


def _sure(windows: Windows, moves: Mapping[str, Sequence[Move]]) -> list[Item]:
    items = [
        Item(
            f"This is one run of one seed. Listed is what differs by more than {NOISE:.0f} standard "
            f"errors of the two means and {in_percent(LEAST)}; another seed would list some of it "
            f"differently"
            + (", and what follows a policy need not come from it." if windows.mark else ".")
        )
    ]
    heads = [move for each in moves.values() for move in each if move.one.metric.headline]
    before = restless(heads, windows)
    if before:
        items += [Item(sentence) for sentence in before]
    elif windows.policy is not None and heads:
        items.append(
            Item(
                f"None of the {len(heads)} headline changes had begun in the weeks before "
                f"{windows.called} (by at least {in_percent(drift.SHARE)} of the change)."
            )
        )
    return items


def _next(
    found: Mapping[str, Sequence[Chapter]],
    moves: Mapping[str, Sequence[Move]],
    place: str,
    policy: bool,
) -> list[Item]:
    """Largest changes that are no headlines, one per side and heading, and what to run."""
    items = []
    for side, chapters_found in found.items():
        other = [move for move in moves[side] if not move.one.metric.headline]
        other.sort(key=lambda move: -move.size)
        if other:
            items.append(
                Item(other[0].sentence, SIDES[side][0], "", _picture(chapters_found, other[0]))
            )
    items = items[:FURTHER]
    words = "with and without the policy" if policy else "with and without a policy of yours"
    items.append(
        Item(
            f"The same world {words}, in eight pairs of runs, with intervals:",
            command=f"twin compare {place}/scenario.yaml --policy POLICY --replicates 8",
        )
    )
    return items


def _picture(found: Sequence[Chapter], move: Move) -> str:
    """The link to the picture of a series."""
    for chapter in found:
        for picture in chapter.pictures:
            if any(
                one.metric.name == move.one.metric.name and one.label == move.one.label
                for one in picture.series
            ):
                return f"#fig-{picture.key}"
    return ""
